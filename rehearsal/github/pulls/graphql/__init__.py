"""Pull requests in GraphQL."""
