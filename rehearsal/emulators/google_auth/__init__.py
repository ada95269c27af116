"""Google tokens without keys: Security Token Service and IAM Service Account Credentials."""
