"""Parcels: where they are (tracking), and what is stuck on them (labels)."""
