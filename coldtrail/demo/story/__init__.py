"""The story of a day in the county: who does what when, told by subject and played through on the agenda."""
