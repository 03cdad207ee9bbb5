"""What can be done and asked: one verb a function, one transaction a call."""
