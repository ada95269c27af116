"""Google Cloud Run Admin API v2: real processes behind revisions, traffic split by percent and by tag."""
