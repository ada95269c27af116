"""Whose eyes have seen what a release brings: commits that no pull request, approved by someone else than its author, covers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.github import GitHub

CO_AUTHOR = re.compile(r"^co-authored-by:[ \t]*(?P<name>[^<\n]{0,200})<(?P<email>[^>\n]{1,200})>[ \t\r]*$", re.I | re.M)
NOREPLY = re.compile(r"^(?:\d+\+)?(?P<login>[A-Za-z0-9-]+(?:\[bot\])?)@users\.noreply\.github\.com$", re.I)
UNKNOWN = ""
"""Stands among authors for someone without an account: nobody can say that an approver is someone else."""


@dataclass(frozen=True, kw_only=True)
class Unreviewed:
    """A commit that only its authors have seen."""

    commit: str
    authors: tuple[str, ...]
    """Logins of author and co-authors, in lower case, sorted; UNKNOWN for each who has none."""
    title: str = ""


def reviewers(reviews: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Logins whose last word on a pull request is an approval. A comment takes no approval back."""
    last: dict[str, str] = {}
    for review in reviews:
        login = str((review.get("user") or {}).get("login", "")).lower()
        if login and review["state"] in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            last[login] = review["state"]
    return frozenset(login for login, state in last.items() if state == "APPROVED")


def covered(authors: Sequence[str], pull_author: str, approved_by: frozenset[str]) -> bool:
    """Whether someone approved the pull request who wrote nothing of it. Pure."""
    own = {*authors, pull_author.lower()}
    if UNKNOWN in own:
        own.discard(UNKNOWN)
        return len(approved_by - own) > 1
    return bool(approved_by - own)


def merged_by_github(raw: Mapping[str, Any]) -> bool:
    """Whether GitHub made a merge commit, by its button: it bears the name of who pressed it, who wrote nothing in it.

    The signature tells; anybody can write GitHub's address into a commit.
    """
    commit = raw["commit"]
    signed = bool((commit.get("verification") or {}).get("verified"))
    return len(raw["parents"]) > 1 and signed and commit["committer"].get("email") == "noreply@github.com"


def authors_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Logins of a commit's author and co-authors, as GitHub's commit object has them (docs.github.com/rest/commits)."""
    author = raw.get("author") or {}
    found = {str(author.get("login", "")).lower() or _of_email(raw["commit"]["author"].get("email", ""))}
    found |= {_of_email(match["email"]) for match in CO_AUTHOR.finditer(raw["commit"]["message"])}
    return tuple(sorted(found))


def _of_email(email: str) -> str:
    known = NOREPLY.match(email.strip())
    return known["login"].lower() if known else UNKNOWN


def approvers(github: GitHub, pull: int) -> frozenset[str]:
    """`reviewers` of a pull request. One call; a hundred reviews are looked at."""
    return reviewers(github.json("GET", f"/repos/{github.name}/pulls/{pull}/reviews?per_page=100"))
