"""The REST API of releases and source archives."""
