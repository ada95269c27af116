"""Pull requests, their reviews, and merging them."""
