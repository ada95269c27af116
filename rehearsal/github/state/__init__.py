"""What this GitHub remembers, as data: one module per domain, no HTTP and no git in any of them."""
