"""Everything that is served, over all domains: the REST API, GraphQL, pages, git, downloads."""
