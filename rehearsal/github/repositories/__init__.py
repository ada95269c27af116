"""Repositories: contents, commits, refs, git data."""
