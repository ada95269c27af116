"""One request as an endpoint sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from rehearsal.github.accounts.state import User
from rehearsal.github.issues.state import Issue
from rehearsal.github.problems import Problem, not_found, unprocessable
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repository_request import RepositoryRequest
from rehearsal.github.rest.answers import Page, Window, links, window
from rehearsal.github.rest.fields import Fields
from rehearsal.github.view import View

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Call(RepositoryRequest):
    """The request of an endpoint; `fields` is the JSON body."""

    view: View
    fields: Fields

    @property
    def user(self) -> User:
        """The user who asks. Raises Problem 401 for anonymous requests."""
        if self.identity.user is None:
            raise Problem(401, "Requires authentication")
        return self.identity.user

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
