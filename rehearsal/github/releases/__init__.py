"""Releases, their assets, generated notes, source archives."""
