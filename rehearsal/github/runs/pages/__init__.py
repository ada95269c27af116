"""The pages of Actions: runs, jobs, logs, *Run workflow*."""
