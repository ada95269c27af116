"""Changelog and notes: what a release brings, as text."""
