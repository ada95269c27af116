"""The real git underneath: bare repositories, their objects, history, merges, and smart HTTP."""
