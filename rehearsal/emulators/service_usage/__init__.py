"""Google Service Usage: which APIs a project has enabled (v1), and its quotas (v1beta1)."""
