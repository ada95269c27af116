"""A mail server that delivers nowhere."""
