"""Load tests: what users do, at the rate at which they come, and whether the performance targets hold."""
