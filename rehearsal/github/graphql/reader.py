"""Who reads, and what a resolver may look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.github.accounts.rules import check
from rehearsal.github.git.bare import BareRepository
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, from_node_id, node_id, stamp

Node = dict[str, Any]
"""An object: values, or functions of (info, **arguments) where an answer is only made when asked for."""
Input = dict[str, Any]
"""The `input` of a mutation."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The context of one query."""

    instance: GitHubInstance
    identity: Identity
    view: View

    def git(self, repository: Repository) -> BareRepository:
        return self.instance.git(repository)

    def allow(self, repository: Repository, *needs: str, role: str | None = None) -> None:
        """Raises Problem when this identity may not."""
        check(self.identity, repository, needs, role)

    def repository(self, owner: str, name: str) -> Repository:
        """Raises Problem 404 in GraphQL's words."""
        found = self.instance.database.repository(f"{owner}/{name}")
        try:
            if found is None:
                raise not_found()
            check(self.identity, found, ("metadata:read",))
        except Problem as problem:
            raise Problem(404, f"Could not resolve to a Repository with the name '{owner}/{name}'.") from problem
        return found

    def repository_of_id(self, node: str) -> Repository:
        number = self._number("Repository", node)
        for repository in self.instance.database.repositories.values():
            if repository.id == number:
                return self.repository(repository.owner, repository.name)
        raise _unknown(node)

    def pull_of_id(self, node: str) -> tuple[Repository, PullRequest]:
        number = self._number("PullRequest", node)
        for repository in self.instance.database.repositories.values():
            for pull in repository.pulls.values():
                if pull.id == number:
                    return self.repository(repository.owner, repository.name), pull
        raise _unknown(node)

    def issue_of_id(self, node: str) -> tuple[Repository, int]:
        """Repository and number of an issue or a pull request."""
        kind, _ = _split(node)
        if kind == "PullRequest":
            repository, pull = self.pull_of_id(node)
            return repository, pull.number
        number = self._number("Issue", node)
        for repository in self.instance.database.repositories.values():
            for issue in repository.issues.values():
                if issue.id == number and not issue.is_pull:
                    return self.repository(repository.owner, repository.name), issue.number
        raise _unknown(node)

    def _number(self, kind: str, node: str) -> int:
        found, number = _split(node)
        if found != kind or not number.isdigit():
            raise _unknown(node)
        return int(number)

    def actor(self, login: str | None) -> Node | None:
        """A user, organization or bot."""
        if login is None:
            return None
        user = self.view.user(login)
        return {
            "__typename": user.type,
            "id": node_id("User", user.id),
            "databaseId": user.id,
            "login": user.login.removesuffix("[bot]"),
            "name": user.name,
            "email": user.email,
            "url": f"{self.view.html}/{user.login}",
            "avatarUrl": f"{self.view.html}/_avatars/{user.id}",
        }


Mutation = Callable[[Reader, Input], Awaitable[Node]]


def connection(nodes: Sequence[Any], render: Callable[[Any], Any]) -> Callable[..., Any]:
    """A field with `first`, `after` and `last`; only what is shown is rendered."""

    def resolve(_: Any, first: int | None = None, after: str | None = None, last: int | None = None, **__: Any) -> Any:
        return cut(nodes, render, first=first, after=after, last=last)

    return resolve


def cut(
    nodes: Sequence[Any], render: Callable[[Any], Any], *, first: int | None, after: str | None, last: int | None
) -> Node:
    """A part of a list, with where it lies."""
    start = int(after) + 1 if after else 0
    end = len(nodes) if first is None else min(len(nodes), start + first)
    start = max(start, end - last) if last is not None else start
    rendered = [render(one) for one in nodes[start:end]]
    page = {
        "hasNextPage": end < len(nodes),
        "hasPreviousPage": start > 0,
        "startCursor": str(start) if rendered else None,
        "endCursor": str(end - 1) if rendered else None,
    }
    edges = [{"node": node, "cursor": str(start + position)} for position, node in enumerate(rendered)]
    return {"nodes": rendered, "edges": edges, "totalCount": len(nodes), "pageInfo": page}


def time_or_none(at: Any) -> str | None:
    return None if at is None else stamp(at)


def is_a(kind: str, node: str) -> bool:
    """Whether a global id names a record of this kind."""
    return _split(node)[0] == kind


def _split(node: str) -> tuple[str, str]:
    try:
        return from_node_id(node)
    except ValueError as error:
        raise _unknown(node) from error


def _unknown(node: str) -> Problem:
    return Problem(404, f"Could not resolve to a node with the global id of '{node}'")
