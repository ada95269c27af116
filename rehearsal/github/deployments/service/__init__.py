"""Deployments made through the API, and those of workflow jobs."""
