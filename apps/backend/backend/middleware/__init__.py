"""What surrounds every request, outermost first: request log, security headers, CORS, failures, rate limit."""
