"""The pages of a repository's code."""
