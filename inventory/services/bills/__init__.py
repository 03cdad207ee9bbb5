"""The ledger's events as bills in the shape of the Chinese traceability platform."""
