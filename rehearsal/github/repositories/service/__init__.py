"""Repositories made and forked, refs moved, and what follows a push."""
