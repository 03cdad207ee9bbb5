"""EPCIS 2.0 and CBV 2.0 (GS1): from the facts of the ledger to events that others read, and back."""
