"""Deployment environments and their protection rules."""
