"""Repositories and commits as JSON."""
