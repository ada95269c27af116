"""Issues in GraphQL."""
