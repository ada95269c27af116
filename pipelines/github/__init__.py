"""GitHub under our policy: one client for JSON documents and for PyGithub, one mapping of errors, one budget of requests."""

from pipelines.github.client import GitHub as GitHub
from pipelines.github.errors import GitHubRefused as GitHubRefused
