"""Everything that is on disk: run store, ledger, rejects."""
