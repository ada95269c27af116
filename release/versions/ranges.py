"""Which release brought which commit.

A commit belongs to a release when the release contains it and no release that this one contains does: what `git rev-list V --not <the
releases below V>` says. That depends on V's own ancestors alone, so a section never changes when branches are merged later.
One pass over the log finds it for all releases at once: going from children to parents, a commit is labelled with the lowest releases
above it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

from release.commits.history import Commit

HEAD = 0
"""The label of what no release contains yet."""

Label = int | tuple[int, ...]


class Labels:
    """The labels of a log: 0 is HEAD, n is the n-th commit with a release on it, in the order of the log."""

    def __init__(self) -> None:
        self.commits: list[str] = [""]
        """The released commit behind each label."""
        self._above: list[tuple[int, ...]] = [()]
        """For each label the lowest labels above it: the releases that came next."""
        self._known: dict[tuple[int, int], bool] = {}

    def new(self, commit: str, above: Label) -> int:
        self.commits.append(commit)
        self._above.append(above if isinstance(above, tuple) else (above,))
        return len(self.commits) - 1

    def pairs(self) -> Iterator[tuple[str, str]]:
        """(released commit, released commit directly above it); "" above stands for HEAD."""
        for label, above in enumerate(self._above):
            for each in above:
                yield self.commits[label], self.commits[each]

    def lowest(self, one: Label, other: Label) -> Label:
        """What both say together: labels that lie above another one are dropped."""
        both = {*(one if isinstance(one, tuple) else (one,)), *(other if isinstance(other, tuple) else (other,))}
        kept = tuple(sorted(a for a in both if not any(a != b and self.contains(a, b) for b in both)))
        return kept if len(kept) > 1 else kept[0]

    def contains(self, upper: int, lower: int) -> bool:
        """Whether the release `upper` contains the release `lower`. Labels grow downwards, which bounds the search."""
        if upper > lower:
            return False
        if (upper, lower) not in self._known:
            self._known[upper, lower] = self._search(upper, lower)
        return self._known[upper, lower]

    def _search(self, upper: int, lower: int) -> bool:
        waiting, met = [lower], {lower}
        while waiting:
            for above in self._above[waiting.pop()]:
                if above == upper:
                    return True
                if above > upper and above not in met:
                    met.add(above)
                    waiting.append(above)
        return False


def divide(log: Iterable[Commit], released: Container[str]) -> tuple[Labels, dict[str, list[Commit]]]:
    """The commits each release brought: released commit -> its commits, "" for what is not released. Order as in the log.

    `log` has children before parents. A commit may stand under two releases when neither contains the other.
    """
    labels = Labels()
    sections: dict[str, list[Commit]] = {"": []}
    lists = [sections[""]]
    waiting: dict[str, Label] = {}
    for commit in log:
        label = waiting.pop(commit.hash, HEAD)
        if commit.hash in released:
            label = labels.new(commit.hash, label)
            sections[commit.hash] = []
            lists.append(sections[commit.hash])
        if isinstance(label, int):
            lists[label].append(commit)
        else:
            for each in label:
                lists[each].append(commit)
        for parent in commit.parents:
            known = waiting.get(parent)
            if known is None:
                waiting[parent] = label
            elif known != label:
                waiting[parent] = labels.lowest(known, label)
    return labels, sections


def in_order(commits: Sequence[Commit]) -> list[Commit]:
    """The commits of one range newest first, children before parents, in an order that depends on these commits alone.

    git's order depends on where the log began, when times are equal or clocks were wrong.
    """
    if all(a.time > b.time for a, b in pairwise(commits)):
        return list(commits)
    by_hash = {commit.hash: commit for commit in commits}
    children = dict.fromkeys(by_hash, 0)
    for commit in commits:
        for parent in commit.parents:
            if parent in children:
                children[parent] += 1
    ready = [(-commit.time, commit.hash) for commit in commits if children[commit.hash] == 0]
    heapify(ready)
    ordered: list[Commit] = []
    while ready:
        commit = by_hash[heappop(ready)[1]]
        ordered.append(commit)
        for parent in commit.parents:
            if parent in children:
                children[parent] -= 1
                if children[parent] == 0:
                    heappush(ready, (-by_hash[parent].time, parent))
    return ordered


def brought(commits: Sequence[Commit], head: str) -> dict[str, str]:
    """For each commit that came in by a merge: the merge on the first-parent line of `head` that brought it."""
    by_hash = {commit.hash: commit for commit in commits}
    line: list[Commit] = []
    at: str | None = head
    while at in by_hash:
        line.append(by_hash[at])
        at = by_hash[at].parents[0] if by_hash[at].parents else None
    taken: dict[str, str] = {commit.hash: "" for commit in line}
    for merge in reversed(line):
        waiting = list(merge.parents[1:])
        while waiting:
            name = waiting.pop()
            if name in by_hash and name not in taken:
                taken[name] = merge.hash
                waiting.extend(by_hash[name].parents)
    return {name: merge for name, merge in taken.items() if merge}
