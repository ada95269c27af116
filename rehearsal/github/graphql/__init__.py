"""The part of GitHub's GraphQL that the `gh` client uses."""
