"""Publishing: gates, files, and the release on GitHub."""
