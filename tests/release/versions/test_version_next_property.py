"""For any history, the next version and the commits that decide it are those of a slow, obvious reference."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import semver
from hypothesis import HealthCheck, given, settings

from pipelines.errors import ReleaseError
from pipelines.manifest.release import Release
from release.commits.git import Git
from release.versions.decision import decide
from release.versions.repository import Repository
from release.versions.wording import why_verdict
from tests.release.generated import History, Meant, Piece, histories
from tests.release.histories import Planned, make

NAME = re.compile(r"\d+\.\d+")
"""What a commit listed in a squash is called."""
RANK = {"none": 0, "patch": 1, "minor": 2, "major": 3}


class Reference:
    """The obvious way: sets of ancestors, one question at a time."""

    def __init__(self, commits: list[Planned], meant: list[Meant], tags: dict[str, int], head: int) -> None:
        self.commits, self.meant, self.head = commits, meant, head
        self.known: dict[int, set[int]] = {}
        self.versions = {}
        for name, at in tags.items():
            if name.startswith("v") and semver.Version.is_valid(name[1:]):
                self.versions[semver.Version.parse(name[1:])] = at
        self.below = {v: at for v, at in self.versions.items() if at in self.ancestors(head)}
        finals = [v for v in self.below if not v.prerelease]
        self.current = max(finals, default=None)
        done: set[int] = set()
        for version in finals:
            done |= self.ancestors(self.below[version])
        self.pending = self.ancestors(head) - done
        self.brought_by = self.bringing()

    def ancestors(self, at: int) -> set[int]:
        if at not in self.known:
            self.known[at] = {at}.union(*(self.ancestors(parent) for parent in self.commits[at].parents))
        return self.known[at]

    def above(self, upper: int, lower: int) -> bool:
        return self.order.index(upper) < self.order.index(lower)

    def alive(self, at: int) -> bool:
        """Not reverted by something above it that is itself in force."""
        return not any(at in self.reverted_by(r) and self.above(r, at) and self.alive(r) for r in self.pending)

    def reverted_by(self, at: int) -> set[int | None]:
        """What a commit says it takes back: itself, or a commit that it lists and that is not undone there."""
        return {self.meant[at].reverts, *(piece.reverts for piece in self.standing(at))} - {None}

    def standing(self, at: int) -> list[Piece]:
        """What a squash lists, without what a later piece undoes that is not undone either."""
        pieces = self.meant[at].pieces

        def stands(place: int) -> bool:
            return not any(later.undoes == place and stands(number) for number, later in enumerate(pieces))

        return [piece for place, piece in enumerate(pieces) if stands(place)]

    def skipped(self, at: int) -> bool:
        return self.meant[at].skip or (at in self.brought_by and self.meant[self.brought_by[at]].skip)

    def own(self, at: int) -> str:
        """What a commit that is no merge raises by itself."""
        intent = self.meant[at]
        if at not in self.pending or not self.alive(at) or self.skipped(at):
            return "none"
        if intent.reverts is not None:
            return self.of_revert(at, intent.reverts)
        return max([intent.bump, *(self.of_piece(at, piece) for piece in self.standing(at))], key=RANK.__getitem__)

    def announced(self, at: int) -> set[str]:
        """Names of the ordinary commits that a squash lists and that are in the notes."""
        if not self.alive(at) or self.skipped(at):
            return set()
        return {
            piece.subject.partition(": ")[2]
            for piece in self.standing(at)
            if piece.undoes is None and piece.reverts is None and not (piece.skip or piece.breaks)
        } - {""}

    def of_piece(self, at: int, piece: Piece) -> str:
        if piece.skip:
            return "none"
        if piece.breaks:
            return "major"
        return piece.bump if piece.reverts is None else self.of_revert(at, piece.reverts)

    def of_revert(self, at: int, target: int | None) -> str:
        """A revert of what is pending: nothing. Of what was released (or is elsewhere): a patch, or, reverted an even number of times,
        the thing itself again."""
        if target in self.pending and self.above(at, target):
            return "none"
        depth = 0
        while target is not None:
            depth, last, target = depth + 1, target, self.meant[target].reverts
        return "patch" if depth % 2 else self.meant[last].header or self.meant[last].bump

    def bringing(self) -> dict[int, int]:
        """For each commit that came by a merge: the merge on the line of first parents."""
        chain, at = [], self.head
        while at in self.pending:
            chain.append(at)
            if not self.commits[at].parents:
                break
            at = self.commits[at].parents[0]
        brought_by: dict[int, int] = {}
        for merge in reversed(chain):
            if len(self.commits[merge].parents) == 2:
                first, second = self.commits[merge].parents
                for each in (self.ancestors(second) - self.ancestors(first)) & self.pending:
                    brought_by[each] = merge
        return brought_by

    def bump(self, order: list[int]) -> str:
        self.order = order
        found = [self.own(at) for at in self.pending if len(self.commits[at].parents) < 2]
        for merge in (at for at in self.pending if len(self.commits[at].parents) == 2 and not self.skipped(at)):
            outer = self.brought_by.get(merge, merge)
            # A skipped or reverted commit says nothing of its merge; any other lets the title count only when it raises more.
            inside = [
                RANK[self.own(each)]
                for each, by in self.brought_by.items()
                if by == outer and len(self.commits[each].parents) < 2 and self.alive(each) and not self.skipped(each)
            ]
            if RANK[self.meant[merge].title] > max(inside, default=-1):
                found.append(self.meant[merge].title)
        return max(found, key=RANK.__getitem__, default="none")

    def next(self, bump: str) -> semver.Version | None:
        if self.current is None:
            base = semver.Version.parse("0.1.0") if any(not self.skipped(at) for at in self.pending) else None
        elif bump == "none":
            base = None
        else:
            part = bump
            if self.current.major == 0 and bump == "major":
                part = "minor"
            base = getattr(self.current, f"bump_{part}")()
        # What is out of a higher version counts as soon as anything is to be released, though a final release came after it.
        out = [
            v.finalize_version()
            for v, at in self.below.items()
            if v.prerelease
            and (at in self.pending or (base is not None and self.current is not None and v > self.current))
        ]
        return max([*out, *([base] if base else [])], default=None)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories(many_tags=True))
def test_next__any_history__is_what_the_reference_says(made: History) -> None:
    commits, meant, tags, head = made
    with tempfile.TemporaryDirectory() as folder:
        ids = make(
            Path(folder) / "r", commits, tags=tags, head=head, annotated=[name for name in tags if name.endswith("0")]
        )
        repository = Repository.open(Git(Path(folder) / "r"), Release())
        facts = repository.facts()
        calls = repository.git.calls
        reference = Reference(commits, meant, tags, head)
        number = {name: at for at, name in enumerate(ids)}
        order = [number[verdict.commit.hash] for verdict in facts.verdicts]

        assert set(order) == {number[ids[at]] for at in reference.pending}
        assert all(why_verdict(verdict, repository.rules) for verdict in facts.verdicts)
        assert (facts.reachable.version if facts.reachable else None) == reference.current
        expected = reference.next(reference.bump(order))
        raised = {number[v.commit.hash]: v.bump for v in facts.verdicts if len(v.commit.parents) < 2}
        assert raised == {at: reference.own(at) for at in raised}
        for verdict in facts.verdicts:
            values = {entry.header.description for entry in verdict.entries if not entry.breaking}
            assert set(filter(NAME.fullmatch, values)) == reference.announced(number[verdict.commit.hash])
        for released in (repository.released, [each for each in repository.released if each.final]):
            near, all_read = repository.since(released), repository.since(released, whole=True)
            assert [each.hash for each in near.commits] == [each.hash for each in all_read.commits]
            assert sorted(each.tag for each in near.below) == sorted(each.tag for each in all_read.below)
        try:
            decided = decide(facts, Release(), repository.component)
        except ReleaseError:
            assert expected in reference.versions
            return
        assert decided.version == expected
        assert calls <= 11, "eight, and one for each pre-release, or release elsewhere, that is higher"
