"""One request as an endpoint sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from rehearsal.github.accounts.state import User
from rehearsal.github.git.bare import BareRepository
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.issues.state import Issue
from rehearsal.github.problems import Problem, not_found, unprocessable
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository
from rehearsal.github.rest.answers import Page, Window, links, window
from rehearsal.github.rest.fields import Fields
from rehearsal.github.view import View
from rehearsal.runner.hub import Runner

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Call:
    """Who asks for what, authenticated and let in; `fields` is the JSON body."""

    instance: GitHubInstance
    request: Request
    identity: Identity
    view: View
    fields: Fields
    found: Repository | None
    """The repository in the path, None for a path without one."""

    @property
    def repository(self) -> Repository:
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
            raise Problem(503, "No runner is attached to this GitHub.")
        return self.instance.runner

    @property
    def user(self) -> User:
        """The user who asks. Raises Problem 401 for anonymous requests."""
        if self.identity.user is None:
            raise Problem(401, "Requires authentication")
        return self.identity.user

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        """A number in the path. Raises Problem 404 when it is none."""
        text = self.path(name)
        if not text.isdigit():
            raise not_found()
        return int(text)

    def query(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default)

    def window(self, per_page: int = 30, most: int = 100) -> Window:
        return window(self.request, per_page, most)

    def page(self, items: Sequence[Item], *, per_page: int = 30, most: int = 100) -> Page[Item]:
        """The part of a list that is asked for."""
        at = self.window(per_page, most)
        return self.page_of(items[at.start : at.start + at.per_page], len(items), at)

    def page_of(self, items: Sequence[Item], total: int, at: Window) -> Page[Item]:
        """A part that was cut out already."""
        return Page(items=items, total=total, links=links(self.request, self.view.api, at, total))

    async def commit(self, name: str) -> str:
        """The commit a branch, tag or SHA means. Raises Problem 422 as GitHub does."""
        sha = await self.git.resolve(name)
        if sha is None:
            raise unprocessable(f"No commit found for SHA: {name}")
        return sha

    def wants(self, form: str) -> bool:
        """Whether `Accept` asks for a form like "diff", "sha" or "raw" instead of JSON."""
        media = self.request.headers.get("accept", "").partition(",")[0].partition("+")[0]
        return media.startswith("application/vnd.github") and media.endswith(f".{form}")

    def issue(self) -> Issue:
        found = self.repository.issues.get(self.number("number"))
        if found is None:
            raise not_found()
        return found

    def pull(self) -> PullRequest:
        found = self.repository.pulls.get(self.number("number"))
        if found is None:
            raise not_found()
        return found
