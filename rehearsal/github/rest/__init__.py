"""The REST API, one module per domain; every endpoint says which permission it takes."""
