"""GitHub Actions on this machine: events, filters, the graph of jobs, one act process per job."""
