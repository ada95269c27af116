"""Issues, their comments and labels."""
