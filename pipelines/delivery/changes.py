"""What a release carries since what is live: its commits, and the pull requests that brought them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.errors import ShipmateError
from pipelines.threads import together

if TYPE_CHECKING:
    from pipelines.github import GitHub

LISTED = 50
"""Commits that are listed; nobody reads more, and each costs a call."""
AT_ONCE = 8
_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Change:
    """One commit."""

    commit: str
    title: str
    author: str
    pull_request: int | None = None
    """The merged pull request that brought it; None for a commit pushed without one, or where it could not be asked."""

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

    @property
    def count(self) -> str:
        return f"{len(self.listed)} and more" if self.more is None else str(len(self.listed) + self.more)

    def lines(self) -> list[str]:
        """For people."""
        rest = [] if self.more == 0 else ["… and more" if self.more is None else f"… and {self.more} more"]
        return [*(change.says for change in self.listed), *rest, *([self.lacks] if self.lacks else [])] or ["none"]


def since(github: GitHub, base: str | None, head: str) -> Changes:
    """The commits of `head` that `base` has not, all of them when there is no base. That pull requests cannot be asked is only told."""
    if base == head:
        return Changes()
    raw, more = _history(github, head) if base is None else _between(github, base, head)
    listed = tuple(_change(item) for item in raw)
    numbers, lacks = _pull_requests(github, [change.commit for change in listed])
    return Changes(
        listed=tuple(replace(change, pull_request=numbers.get(change.commit)) for change in listed),
        more=more,
        lacks=f"pull requests are not all named: {lacks}" if lacks else "",
    )


def _history(github: GitHub, head: str) -> tuple[list[dict[str, Any]], int | None]:
    raw = github.json("GET", f"/repos/{github.name}/commits?sha={head}&per_page={LISTED + 1}")
    return raw[:LISTED], None if len(raw) > LISTED else 0


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
    newest = list(reversed(commits[-LISTED:]))
    return newest, total - len(newest)


def _page(github: GitHub, path: str, page: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = github.json("GET", f"{path}&page={page}")["commits"]
    return found


def _change(raw: dict[str, Any]) -> Change:
    lines = raw["commit"]["message"].splitlines()
    author = (raw.get("author") or {}).get("login") or raw["commit"]["author"]["name"]
    return Change(commit=raw["sha"], title=lines[0] if lines else "", author=author)


def _pull_requests(github: GitHub, commits: Sequence[str]) -> tuple[dict[str, int], str]:
    """Commit -> pull request, and why some are missing. Each of the calls at once has a client of its own: one serves one call."""
    parts = [commits[first::AT_ONCE] for first in range(min(AT_ONCE, len(commits)))]
    answers = together(partial(_asked, github.brief(), part) for part in parts)
    found = {commit: number for numbers, _ in answers for commit, number in numbers.items()}
    return found, next((error for _, error in answers if error), "")


def _asked(github: GitHub, commits: Sequence[str]) -> tuple[dict[str, int], str]:
    found: dict[str, int] = {}
    for commit in commits:
        try:
            raw = github.json("GET", f"/repos/{github.name}/commits/{commit}/pulls")
        except ShipmateError as error:
            return found, error.what
        merged = [int(pull["number"]) for pull in raw if pull.get("merged_at")]
        if merged:
            found[commit] = min(merged)
    return found, ""
