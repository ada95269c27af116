"""A request about a repository, as REST and pages both read it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from rehearsal.github.git.bare import BareRepository
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.repositories.state import Repository
from rehearsal.runner.hub import Runner

DIGITS = 19
"""Of the largest number in a path: ids are 64 bits wide."""


@dataclass(frozen=True, kw_only=True)
class RepositoryRequest:
    """Who asks for what, authenticated and let in."""

    instance: GitHubInstance
    request: Request
    identity: Identity
    found: Repository | None
    """The repository in the path; None for a path without one."""

    @property
    def repository(self) -> Repository:
        """Raises Problem 404 for a path without one."""
        if self.found is None:
            raise not_found()
        return self.found

    @property
    def git(self) -> BareRepository:
        return self.instance.git(self.repository)

    @property
    def runner(self) -> Runner:
        """Raises Problem 503 where no runner is attached."""
        if self.instance.runner is None:
            raise Problem(503, "No runner is attached to this GitHub: workflows cannot start.")
        return self.instance.runner

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        """A number in the path. Raises Problem 404 when it is none."""
        text = self.path(name)
        if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
            raise not_found()
        return int(text)

    def query(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default)
