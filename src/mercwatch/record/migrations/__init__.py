"""Schema of the ledger."""
