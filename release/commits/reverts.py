"""Which commits of a range cancel each other: a revert and what it reverts, unless the revert was itself reverted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from release.commits.bodies import Body
from release.commits.history import Commit
from release.commits.messages import Message, cut_pulls


class Cancelled(NamedTuple):
    """How commits of a range cancel."""

    reverted_by: Mapping[str, str]
    """Commit -> the revert of it that is in force."""
    reverts: Mapping[str, Sequence[str]]
    """Revert in force (or squash that lists one) -> the commits it reverts."""
    acting: Mapping[str, set[int]]
    """The same -> which of its messages do so: places among those a squash lists, OWN for its own."""
    dropped: Mapping[str, set[int]]
    """Squash -> places of the listed messages that another one of them reverts."""


OWN = -1
_NOTHING = Cancelled({}, {}, {}, {})


def cancel(commits: Sequence[Commit], brought_by: Mapping[str, str]) -> Cancelled:
    """Go from the newest to the oldest: a revert in force cancels what it names; a cancelled revert cancels nothing.

    `brought_by`: commit -> the merge that brought it, so that reverting a merge reverts all of it.
    """
    for commit in commits:
        if commit.message.body is not None and _reverts(commit.message):
            break
    else:
        return _NOTHING
    cancelling = _Cancelling(commits, brought_by)
    for position, commit in enumerate(commits):
        if commit.message.body is not None and commit.hash not in cancelling.reverted_by and _reverts(commit.message):
            cancelling.read(commit, position)
    return Cancelled(cancelling.reverted_by, cancelling.reverts, cancelling.acting, cancelling.dropped)


def is_revert(message: Message) -> bool:
    return message.body is not None and message.body.revert_depth > 0


def _reverts(message: Message) -> bool:
    return is_revert(message) or any(map(is_revert, message.listed))


class _Cancelling:
    """What was cancelled so far, on the way down."""

    def __init__(self, commits: Sequence[Commit], brought_by: Mapping[str, str]) -> None:
        self.commits = commits
        self.brought_by = brought_by
        self.merges = set(brought_by.values())
        self.index = _Index(commits)
        self.reverted_by: dict[str, str] = {}
        self.reverts: dict[str, list[str]] = {}
        self.acting: dict[str, set[int]] = {}
        self.dropped: dict[str, set[int]] = {}

    def read(self, commit: Commit, position: int) -> None:
        """What a commit says itself, then what a squash lists, the newest first."""
        message = commit.message
        if message.body is not None and message.body.revert_depth:
            same = [place for place, each in enumerate(message.listed) if each.subject == message.subject]
            ids = tuple(name for place in same if (own := message.listed[place].body) for name in own.reverts)
            body = message.body._replace(reverts=message.body.reverts + ids)
            if self._revert(commit, OWN, self.index.targets(body, position, self.reverted_by), position):
                self.acting[commit.hash].update(same)
        for place in reversed(range(len(message.listed))):
            self._read_listed(commit, place, position)

    def _read_listed(self, commit: Commit, place: int, position: int) -> None:
        listed = commit.message.listed
        body = listed[place].body
        acting, gone = self.acting.get(commit.hash, ()), self.dropped.setdefault(commit.hash, set())
        if body is None or not body.revert_depth or place in acting or place in gone:
            return
        targets = self.index.by_ids(body, position)
        if not targets and (beside := _beside(listed, place, gone)) is not None:
            gone.add(beside)
            self.acting.setdefault(commit.hash, set()).add(place)
            return
        self._revert(commit, place, targets or self.index.targets(body, position, self.reverted_by), position)

    def _revert(self, commit: Commit, place: int, targets: Sequence[str], position: int) -> bool:
        if not targets:
            return False
        whole = list(targets)
        if not self.merges.isdisjoint(targets):
            whole += [each.hash for each in self.commits[position:] if self.brought_by.get(each.hash) in targets]
        for target in whole:
            self.reverted_by.setdefault(target, commit.hash)
        known = self.reverts.setdefault(commit.hash, [])
        known += [target for target in targets if target not in known]
        self.acting.setdefault(commit.hash, set()).add(place)
        return True


def _beside(listed: Sequence[Message], place: int, gone: set[int]) -> int | None:
    """The nearest older message of the same squash that the one at `place` reverts."""
    body = listed[place].body
    title, pulls = cut_pulls(body.revert_of) if body is not None else ("", ())
    for older in reversed(range(place)):
        if older not in gone and listed[older].subject == title and (not pulls or listed[older].pulls == pulls):
            return older
    return None


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
            for title in dict.fromkeys(filter(None, (message.subject, message.merge.title if message.merge else ""))):
                self.by_subject.setdefault(title, []).append(commit.hash)

    def targets(self, body: Body, position: int, cancelled: Mapping[str, str]) -> list[str]:
        """What a revert at `position` names: by id first, then by pull request, then by title; only commits below it."""
        if found := self.by_ids(body, position):
            return found
        if len(body.reverts_pulls) > 1:
            ways = [self.by_pull.get(number, []) for number in body.reverts_pulls]
            return [name for way in ways for name in self._below(way, position, cancelled)[:1]]
        title, pulls = cut_pulls(body.revert_of)
        ways = [self.by_pull.get(number, []) for number in (*body.reverts_pulls, *reversed(pulls))]
        if title and not pulls:
            # A title with a number that is not here was released before; one without may be all that a rebase left.
            ways.append(self.by_subject.get(title, []))
        for way in ways:
            if below := self._below(way, position, cancelled):
                return below[:1]
        return []

    def _below(self, names: Sequence[str], position: int, cancelled: Mapping[str, str]) -> list[str]:
        return [name for name in names if self.position[name] > position and name not in cancelled]

    def by_ids(self, body: Body, position: int) -> list[str]:
        named = dict.fromkeys((*body.reverts, *body.refs))
        return [found for name in named if (found := self._by_id(name)) and self.position[found] > position]

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
