"""Google Secret Manager v1."""
