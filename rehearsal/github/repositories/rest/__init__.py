"""The REST API of repositories, contents, commits and git data."""
