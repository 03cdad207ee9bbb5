"""EPCIS: the facts of the ledger read for others, and what others tell taken into it."""
