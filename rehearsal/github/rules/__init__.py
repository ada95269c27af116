"""Decisions: who may do what, and what the protections of a repository let through. Nothing here changes anything."""
