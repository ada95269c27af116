"""Attestations of artifacts."""
