"""Every figure the documents claim, each measured beside what it is compared to. `python -m benchmarks` runs them all."""
