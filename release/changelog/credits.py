"""Pull requests and logins behind commits, asked of GitHub in few, paged calls, and kept.

Two listings serve a whole release: the comparison with the release before it (a login for each commit) and the pull requests merged since
(each names the commit it became). What was learned is kept below the git folder, so that asking again costs nothing. Without a token or
a network nothing is lost but the credit, and the notes say so.
Source: docs.github.com/rest/commits/commits#compare-two-commits, docs.github.com/rest/pulls/pulls#list-pull-requests
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.errors import CredentialsError, ProviderUnavailable, ShipmateError
from release.commits.dates import moment
from release.commits.history import Commit

if TYPE_CHECKING:
    from pipelines.github import GitHub

PAGES = 20
"""The most pages of either listing that are read: 2,000 commits, 2,000 pull requests."""


@dataclass(frozen=True)
class Credits:
    """What GitHub knows of commits, by commit id."""

    logins: Mapping[str, str] = field(default_factory=dict)
    pulls: Mapping[str, int] = field(default_factory=dict)
    openers: frozenset[str] = frozenset()
    """Logins, in lower case, of who opened the pull requests: GitHub vouches for these alone. The login of a commit follows from the
    mail address in it, which its author chose."""
    lacks: tuple[str, ...] = ()
    """What could not be learned, for people."""


def look_up(github: GitHub | None, commits: Sequence[Commit], base: str, head: str, cache: Path) -> Credits:
    """Credits for the commits of a release. `base`: the release before it, empty when it is the first. Never raises for lack of
    a network or a token: `lacks` says it."""
    if not commits:
        return Credits()
    if github is None:
        return Credits(lacks=("pull requests and logins GitHub alone knows: no GITHUB_TOKEN was given",))
    file = cache / f"credits-{github.name.replace('/', '-')}.json"
    known = _read(file)
    if all(commit.hash in known for commit in commits):
        return _credits(known, commits, ())
    try:
        fresh, complete = _ask(github, commits, base, head)
    except ShipmateError as error:
        return _credits(known, commits, (f"pull requests and logins GitHub alone knows: {_in_words(error)}",))
    known.update(fresh)
    if complete:
        _write(file, known)
        return _credits(known, commits, ())
    return _credits(known, commits, (f"credit for the oldest commits: only {PAGES} pages of pull requests were read",))


def _ask(github: GitHub, commits: Sequence[Commit], base: str, head: str) -> tuple[dict[str, list[Any]], bool]:
    """(commit -> [login, pull request], everything was read)."""
    wanted = {commit.hash: ["", 0] for commit in commits}
    complete = True
    for raw in _compared(github, base, head):
        if raw["sha"] in wanted:
            wanted[raw["sha"]][0] = (raw.get("author") or {}).get("login", "")
    oldest = moment(min(commit.time for commit in commits) - 86_400)
    for page in range(1, PAGES + 1):
        path = f"/repos/{github.name}/pulls?state=closed&sort=updated&direction=desc&per_page=100&page={page}"
        listed: list[dict[str, Any]] = github.json("GET", path)
        for raw in listed:
            merged = raw.get("merge_commit_sha") if raw.get("merged_at") else None
            if merged in wanted:
                wanted[merged] = [(raw.get("user") or {}).get("login", ""), raw["number"]]
        if len(listed) < 100 or _when(listed[-1]["updated_at"]) < oldest:
            break
    else:
        complete = False
    return wanted, complete


def _compared(github: GitHub, base: str, head: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in range(1, PAGES + 1):
        if base:
            span = f"{quote(base, safe='')}...{quote(head, safe='')}"
            listed = github.json("GET", f"/repos/{github.name}/compare/{span}?per_page=100&page={page}")["commits"]
        else:
            listed = github.json(
                "GET", f"/repos/{github.name}/commits?sha={quote(head, safe='')}&per_page=100&page={page}"
            )
        found += listed
        if len(listed) < 100:
            break
    return found


def _credits(known: Mapping[str, list[Any]], commits: Sequence[Commit], lacks: tuple[str, ...]) -> Credits:
    met = {commit.hash: known[commit.hash] for commit in commits if commit.hash in known}
    return Credits(
        logins={name: login for name, (login, _) in met.items() if login},
        openers=frozenset(login.lower() for login, pull in met.values() if login and pull),
        pulls={name: pull for name, (_, pull) in met.items() if pull},
        lacks=lacks,
    )


def _in_words(error: ShipmateError) -> str:
    """A failure for readers of notes: they know neither our calls nor GitHub's addresses."""
    if isinstance(error, CredentialsError):
        return "the token may not read them"
    if isinstance(error, ProviderUnavailable):
        return "GitHub could not be reached"
    return "GitHub did not tell them"


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _read(file: Path) -> dict[str, list[Any]]:
    try:
        known: dict[str, list[Any]] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return known


def _write(file: Path, known: Mapping[str, list[Any]]) -> None:
    """A cache that cannot be kept costs calls, nothing else."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part")
        unfinished.write_text(json.dumps(known))
        unfinished.replace(file)
    except OSError:
        return
