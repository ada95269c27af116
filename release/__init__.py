"""Versions, changelog, notes and GitHub releases."""
