"""Workflows, their runs and jobs, logs and artifacts."""
