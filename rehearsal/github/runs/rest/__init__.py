"""The REST API of workflows, runs, jobs and artifacts."""
