"""Every static check of this repository, at once: `make lint`, `shipmate lint`."""
