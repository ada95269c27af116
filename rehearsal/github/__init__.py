"""A GitHub: git over smart HTTP, the REST API, the GraphQL that `gh` sends, and pages for people."""
