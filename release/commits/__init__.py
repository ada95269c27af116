"""Commits: git, its history, and what messages say."""
