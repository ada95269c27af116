"""Looking at a running system from outside: smoke checks, their report, and a watch during changes. No data is not success."""
