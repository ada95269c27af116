"""Secrets and variables of repositories and environments."""
