"""Which commits of a range cancel each other: a revert and what it reverts, unless the revert was itself reverted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from release.bodies import Body
from release.commits import cut_pulls
from release.history import Commit


class Cancelled(NamedTuple):
    """How commits of a range cancel."""

    by: Mapping[str, str]
    """Commit taken back -> the revert that did it."""
    takes_back: Mapping[str, tuple[str, ...]]
    """Revert in force -> the commits it takes back."""


_NOTHING = Cancelled({}, {})


def cancel(commits: Sequence[Commit], brought_by: Mapping[str, str]) -> Cancelled:
    """Go from the newest to the oldest: a revert in force cancels what it names; a cancelled revert cancels nothing.

    `brought_by`: commit -> the merge that brought it, so that reverting a merge reverts all of it.
    """
    for commit in commits:
        if commit.message.body is not None and _is_revert(commit.message.body):
            break
    else:
        return _NOTHING
    index = _Index(commits)
    merges = set(brought_by.values())
    by: dict[str, str] = {}
    takes_back: dict[str, tuple[str, ...]] = {}
    for position, commit in enumerate(commits):
        body = commit.message.body
        if commit.hash in by or body is None or not _is_revert(body):
            continue
        targets = index.targets(body, position, by)
        whole = list(targets)
        if not merges.isdisjoint(targets):
            whole += [each.hash for each in commits[position:] if brought_by.get(each.hash) in targets]
        for target in whole:
            by.setdefault(target, commit.hash)
        if targets:
            takes_back[commit.hash] = tuple(targets)
    return Cancelled(by, takes_back)


def _is_revert(body: Body) -> bool:
    return bool(body.revert_depth or body.reverts or body.reverts_pull)


class _Index:
    """Finds the commits a revert names, among those below it."""

    def __init__(self, commits: Sequence[Commit]) -> None:
        self.position = {commit.hash: place for place, commit in enumerate(commits)}
        self.sorted = sorted(self.position)
        self.picked = {
            origin: commit.hash
            for commit in commits
            if commit.message.body
            for origin in commit.message.body.picked_from
        }
        self.by_pull: dict[int, list[str]] = {}
        self.by_subject: dict[str, list[str]] = {}
        for commit in commits:
            message = commit.message
            number = message.merge.pull if message.merge else (message.pulls[-1] if message.pulls else 0)
            if number:
                self.by_pull.setdefault(number, []).append(commit.hash)
            self.by_subject.setdefault(message.subject, []).append(commit.hash)

    def targets(self, body: Body, position: int, cancelled: Mapping[str, str]) -> list[str]:
        """What a revert at `position` names: by id first, then by pull request, then by title; only commits below it."""
        named = (*body.reverts, *(body.refs if body.revert_depth else ()))
        by_id = [found for name in named if (found := self._by_id(name)) and self.position[found] > position]
        if by_id:
            return by_id
        title, pulls = cut_pulls(body.revert_of)
        ways = [self.by_pull.get(number, []) for number in (body.reverts_pull, *reversed(pulls)) if number]
        if title and not pulls:
            # A title with a number that is not here was released before; one without may be all that a rebase left.
            ways.append(self.by_subject.get(title, []))
        for way in ways:
            below = [name for name in way if self.position[name] > position and name not in cancelled]
            if below:
                return below[:1]
        return []

    def _by_id(self, name: str) -> str | None:
        from bisect import bisect_left

        name = name.lower()
        if name in self.position:
            return name
        if name in self.picked:
            return self.picked[name]
        at = bisect_left(self.sorted, name)
        near = [known for known in self.sorted[at : at + 2] if known.startswith(name)]
        return near[0] if len(near) == 1 else None
