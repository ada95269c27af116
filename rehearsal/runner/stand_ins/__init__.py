"""Stand-ins for public actions; `artifacts` is the work of two of them."""
