"""What users do with the platform, in a browser, against any environment: `python -m pytest e2e`."""
