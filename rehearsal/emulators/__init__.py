"""One package per provider, each with the same files in the same roles (README.md); table.py lists them."""
