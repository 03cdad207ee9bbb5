"""The log of leaves: appending what was committed, signing what there is, proving it, and finding what was changed."""
