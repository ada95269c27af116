"""Commit statuses, check runs and check suites."""
