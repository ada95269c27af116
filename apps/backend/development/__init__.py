"""PostgreSQL and Redis for development and tests, and a way to run the backend over them with one command."""
