"""An OCI registry that answers as Artifact Registry does."""
