"""One comment on a pull request: found by its hidden marker, brought up to date in place, no matter who else writes at the same time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipelines import faults
from pipelines.errors import ConflictError
from pipelines.github import GitHub, GitHubRefused

AUTHOR = "github-actions[bot]"
PAGE = 100
MOST_PAGES = 30
TRIES = 3
_MARK = re.compile(r"<!-- shipmate-ci (?P<workflow>\S+) run=(?P<run>\d{1,12}) attempt=(?P<attempt>\d{1,6}) -->")


@dataclass(frozen=True, order=True)
class Stamp:
    """Which run wrote: later runs compare greater."""

    run: int
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """A report of ours that stands on the pull request."""

    id: int
    url: str
    stamp: Stamp
    body: str


class Comment:
    """The report of one workflow on one pull request. `author` is who our token writes as: nobody else's comment is touched."""

    def __init__(self, github: GitHub, pull: int, workflow: str, *, author: str = AUTHOR) -> None:
        self.github, self.pull, self.workflow, self.author = github, pull, workflow, author
        self.root = f"/repos/{github.name}/issues"

    def publish(self, text: str, stamp: Stamp) -> str:
        """Make or update it; what was done, in words.

        Raises CredentialsError when the token may not write, ConflictError when others keep deleting it, ProviderError.
        """
        body = f"<!-- shipmate-ci {self.workflow} run={stamp.run} attempt={stamp.attempt} -->\n{text}"
        for _ in range(TRIES):
            standing = self.standing()
            if not standing:
                done = self._create(body, stamp)
            else:
                done = self._update(standing[0], body, stamp)
                self._remove(standing[1:])
            if done:
                return done
        raise ConflictError(
            "the comment disappears while it is written",
            where=f"pull request {self.pull}",
            next_step="run this job again",
        )

    def standing(self) -> list[Found]:
        """Our reports there, the oldest first. There should be one."""
        found = []
        for page in range(1, MOST_PAGES + 1):
            comments = self.github.json("GET", f"{self.root}/{self.pull}/comments?per_page={PAGE}&page={page}") or []
            found += [ours for comment in comments if (ours := self._ours(comment))]
            if len(comments) < PAGE:
                break
        return sorted(found, key=lambda comment: comment.id)

    def _ours(self, comment: Any) -> Found | None:
        """Anybody can write our marker into a comment of theirs; only what our own account wrote counts."""
        match = _MARK.match(comment.get("body") or "")
        if (
            match is None
            or match["workflow"] != self.workflow
            or (comment.get("user") or {}).get("login") != self.author
        ):
            return None
        stamp = Stamp(int(match["run"]), int(match["attempt"]))
        return Found(id=int(comment["id"]), url=str(comment.get("html_url", "")), stamp=stamp, body=comment["body"])

    def _create(self, body: str, stamp: Stamp) -> str:
        """Make it; then look whether another run made one at the same moment: the older stays."""

        def write() -> int:
            made = self.github.json("POST", f"{self.root}/{self.pull}/comments", {"body": body})
            return int(made["id"])

        def find() -> int | None:
            return next((one.id for one in self.standing() if one.stamp == stamp), None)

        made = faults.once(write, find, policy=self.github.policy)
        standing = self.standing()
        if not standing or standing[0].id == made:
            self._remove(standing[1:])
            return "commented on the pull request"
        self._remove([one for one in standing if one.id == made])
        return self._update(standing[0], body, stamp)

    def _update(self, standing: Found, body: str, stamp: Stamp) -> str:
        """Bring it up to date; empty when it is gone meanwhile. What a newer run wrote stays."""
        if standing.stamp > stamp:
            return f"left the comment as it is: run {standing.stamp.run} is newer"
        path = f"{self.root}/comments/{standing.id}"

        def write() -> bool:
            self.github.json("PATCH", path, {"body": body})
            return True

        def find() -> bool | None:
            return True if (self.github.json("GET", path) or {}).get("body") == body else None

        try:
            faults.once(write, find, policy=self.github.policy)
        except GitHubRefused as error:
            if error.status == 404:
                return ""
            raise
        return "updated the comment on the pull request"

    def _remove(self, extra: list[Found]) -> None:
        for one in extra:
            try:
                self.github.json("DELETE", f"{self.root}/comments/{one.id}")
            except (GitHubRefused, faults.MayHaveHappened):
                # Gone already, or the next run removes it: a second comment does no harm until then.
                continue
