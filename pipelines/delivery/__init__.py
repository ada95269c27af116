"""Whole ways, each a readable list of steps: staging, production, rollback. They compose deploy, checks, approvals and the ledger."""
