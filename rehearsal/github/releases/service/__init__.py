"""Releases, their assets, and generated notes."""
