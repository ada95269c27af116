"""Deployments and their statuses."""
