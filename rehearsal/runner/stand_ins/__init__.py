"""Actions that play public ones; `artifacts` is the work of two of them."""
