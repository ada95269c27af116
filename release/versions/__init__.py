"""Versions: tags, rules, and which one comes next."""
