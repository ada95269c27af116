"""What a release carries since what is live: its commits, the pull requests that brought them, and whose eyes have seen them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.delivery.approval.rules import RANKS
from pipelines.delivery.review import UNKNOWN, Unreviewed, approvers, authors_of, covered, merged_by_github
from pipelines.errors import ShipmateError
from pipelines.threads import together

if TYPE_CHECKING:
    from pipelines.github import GitHub

LISTED = 50
"""Commits that are listed; nobody reads more."""
LOOKED_AT = 100
"""Commits whose reviews are looked at: each costs a call."""
AT_ONCE = 8
_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Change:
    """One commit."""

    commit: str
    title: str
    author: str
    authors: tuple[str, ...] = ()
    """As `review.authors_of`."""
    merged_by_github: bool = False
    """As `review.merged_by_github`."""
    pull_request: int | None = None
    """The merged pull request that brought it; None for a commit pushed without one, or where it could not be asked."""
    pull_author: str = ""

    @property
    def says(self) -> str:
        """One line, for people. Titles of squashed merges name their pull request; once is enough."""
        number = f"#{self.pull_request}" if self.pull_request else ""
        title = self.title.removesuffix(f" ({number})") if number else self.title
        return " ".join(part for part in (self.commit[:7], number, title, f"({self.author})") if part)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The newest commits first."""

    listed: tuple[Change, ...] = ()
    more: int | None = 0
    """How many are not listed; None: some, nobody counted."""
    lacks: str = ""
    """What could not be learned, for people."""
    unreviewed: tuple[Unreviewed, ...] = ()
    """What nobody but its authors has seen, the newest first; among it what could not be learned."""

    @property
    def count(self) -> str:
        return f"{len(self.listed)} and more" if self.more is None else str(len(self.listed) + self.more)

    def lines(self) -> list[str]:
        """For people."""
        rest = [] if self.more == 0 else ["… and more" if self.more is None else f"… and {self.more} more"]
        return [*(change.says for change in self.listed), *rest, *([self.lacks] if self.lacks else [])] or ["none"]


def since(github: GitHub, base: str | None, head: str) -> Changes:
    """The commits of `head` that `base` has not, all of them when there is no base. That pull requests cannot be asked is only reported:
    then nobody is taken to have seen the commits."""
    if base == head:
        return Changes()
    raw, more = _history(github, head) if base is None else _between(github, base, head)
    found, lacks = _with_pull_requests(github, [_change(item) for item in raw])
    looks = _Looks(github)
    unreviewed = tuple(
        Unreviewed(commit=change.commit, authors=change.authors, title=change.title)
        for change in found
        if not looks.cover(change)
    )
    if more is None or more > 0:
        earlier = (
            "earlier commits that were not looked at" if more is None else f"{more} earlier commits, not looked at"
        )
        unreviewed = (*unreviewed, Unreviewed(commit="", authors=(UNKNOWN,), title=earlier))
    return Changes(
        listed=tuple(found[:LISTED]),
        more=None if more is None else more + max(0, len(found) - LISTED),
        lacks=f"pull requests are not all named: {lacks}" if lacks else "",
        unreviewed=unreviewed,
    )


class _Looks:
    """Who approved which pull request; each is asked once, and so is what each of them may on the repository."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._approvers: dict[int, frozenset[str]] = {}
        self._may: dict[str, bool] = {}

    def cover(self, change: Change) -> bool:
        number = change.pull_request
        if number is None:
            return False
        if number not in self._approvers:
            try:
                found = approvers(self._github, number)
                self._approvers[number] = frozenset(login for login in found if self._may_review(login))
            except ShipmateError:
                self._approvers[number] = frozenset()
        authors = () if change.merged_by_github else change.authors
        return covered(authors, change.pull_author, self._approvers[number])

    def _may_review(self, login: str) -> bool:
        """Whether GitHub would count an approval: anybody who can read a repository can write one."""
        if login not in self._may:
            self._may[login] = RANKS.get(self._github.role(login), 0) >= RANKS["write"]
        return self._may[login]


def _history(github: GitHub, head: str) -> tuple[list[dict[str, Any]], int | None]:
    raw = github.json("GET", f"/repos/{github.name}/commits?sha={head}&per_page={LOOKED_AT}")
    if len(raw) < LOOKED_AT:
        return raw, 0
    rest = github.json("GET", f"/repos/{github.name}/commits?sha={head}&per_page={LOOKED_AT}&page=2")
    return raw, None if rest else 0


def _between(github: GitHub, base: str, head: str) -> tuple[list[dict[str, Any]], int]:
    """GitHub compares from the oldest on: the newest are on the last pages."""
    path = f"/repos/{github.name}/compare/{base}...{head}?per_page={_PAGE}"
    compared = github.json("GET", path)
    total = int(compared["total_commits"])
    commits = list(compared["commits"])
    last = -(-total // _PAGE)
    if last > 1:
        pages = range(max(2, last - 1), last + 1)
        commits = [*(commits if last == 2 else []), *(c for page in pages for c in _page(github, path, page))]
    newest = list(reversed(commits[-LOOKED_AT:]))
    return newest, total - len(newest)


def _page(github: GitHub, path: str, page: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = github.json("GET", f"{path}&page={page}")["commits"]
    return found


def _change(raw: dict[str, Any]) -> Change:
    lines = raw["commit"]["message"].splitlines()
    author = (raw.get("author") or {}).get("login") or raw["commit"]["author"]["name"]
    return Change(
        commit=raw["sha"],
        title=lines[0] if lines else "",
        author=author,
        authors=authors_of(raw),
        merged_by_github=merged_by_github(raw),
    )


def _with_pull_requests(github: GitHub, changes: Sequence[Change]) -> tuple[list[Change], str]:
    """The changes with their pull requests, and why some are missing. Each of the calls at once has a client of its own: one serves
    one call."""
    parts = [changes[first::AT_ONCE] for first in range(min(AT_ONCE, len(changes)))]
    answers = together(partial(_asked, github.brief(), part) for part in parts)
    found = {change.commit: change for part, _ in answers for change in part}
    return [found.get(change.commit, change) for change in changes], next((error for _, error in answers if error), "")


def _asked(github: GitHub, changes: Sequence[Change]) -> tuple[list[Change], str]:
    found: list[Change] = []
    for change in changes:
        try:
            raw = github.json("GET", f"/repos/{github.name}/commits/{change.commit}/pulls")
        except ShipmateError as error:
            return found, error.what
        merged = sorted((pull for pull in raw if pull.get("merged_at")), key=lambda pull: int(pull["number"]))
        if merged:
            author = str((merged[0].get("user") or {}).get("login", ""))
            found.append(replace(change, pull_request=int(merged[0]["number"]), pull_author=author))
    return found, ""
