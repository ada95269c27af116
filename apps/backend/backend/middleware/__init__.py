"""What surrounds every request, outermost first: request log, server timing, security headers, CORS, failures, rate limit."""
