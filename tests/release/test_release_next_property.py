"""For any history, the next version and the commits that decide it are those of a slow, obvious reference."""

from __future__ import annotations

import tempfile
from pathlib import Path

import semver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import ReleaseError
from pipelines.manifest.release import Release
from release.decision import decide
from release.git import Git
from release.repository import Repository
from tests.release.generated import History, Meant, histories
from tests.release.histories import Planned, make

RANK = {"none": 0, "patch": 1, "minor": 2, "major": 3}


class Reference:
    """The obvious way: sets of ancestors, one question at a time."""

    def __init__(self, commits: list[Planned], meant: list[Meant], tags: dict[str, int], head: int) -> None:
        self.commits, self.meant, self.head = commits, meant, head
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

    def ancestors(self, at: int) -> set[int]:
        found = {at}
        for parent in self.commits[at].parents:
            found |= self.ancestors(parent)
        return found

    def alive(self, at: int) -> bool:
        """Not reverted by something above it that is itself in force."""
        return not any(
            self.meant[r].reverts == at and self.order.index(r) < self.order.index(at) and self.alive(r)
            for r in self.pending
        )

    def own(self, at: int) -> str:
        """What a commit that is no merge raises by itself."""
        intent = self.meant[at]
        if at not in self.pending or not self.alive(at) or intent.skip:
            return "none"
        if intent.reverts is not None:
            if intent.reverts in self.pending and self.order.index(intent.reverts) > self.order.index(at):
                return "none"
            return self.of_revert(at)
        return intent.bump

    def of_revert(self, at: int) -> str:
        """A revert of what was released (or is elsewhere): a patch, or, reverted an even number of times, the thing itself again."""
        depth, target = 0, at
        while self.meant[target].reverts is not None:
            depth, target = depth + 1, self.meant[target].reverts
        if depth % 2:
            return "patch"
        subject = self.commits[target].message.strip().split("\n")[0]
        kind = subject.split(":")[0].lower()
        if "!" in kind:
            return "major"
        return {
            "feat": "minor",
            "fix": "patch",
            "perf(db)": "patch",
            "chore": "none",
            "docs": "none",
            "фикс": "none",
        }.get(kind, "patch")

    def bump(self, order: list[int]) -> str:
        self.order = order
        found = [self.own(at) for at in self.pending if len(self.commits[at].parents) < 2]
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
        for merge in (at for at in self.pending if len(self.commits[at].parents) == 2):
            outer = brought_by.get(merge, merge)
            # A skipped or reverted commit says nothing of its merge; any other lets the title count only when it raises more.
            inside = [
                RANK[self.own(each)]
                for each, by in brought_by.items()
                if by == outer
                and len(self.commits[each].parents) < 2
                and self.alive(each)
                and not self.meant[each].skip
            ]
            if RANK[self.meant[merge].title] > max(inside, default=-1):
                found.append(self.meant[merge].title)
        return max(found, key=RANK.__getitem__, default="none")

    def next(self, bump: str) -> semver.Version | None:
        if self.current is None:
            base = semver.Version.parse("0.1.0") if any(not self.meant[at].skip for at in self.pending) else None
        elif bump == "none":
            base = None
        else:
            part = bump
            if self.current.major == 0 and bump == "major":
                part = "minor"
            base = getattr(self.current, f"bump_{part}")()
        out = [v.finalize_version() for v, at in self.below.items() if v.prerelease and at in self.pending]
        return max([*out, *([base] if base else [])], default=None)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories(), st.booleans())
def test_next__any_history__is_what_the_reference_says(made: History, long: bool) -> None:
    """`long`: by the way that is taken for very long histories, too."""
    commits, meant, tags, head = made
    with tempfile.TemporaryDirectory() as folder:
        ids = make(
            Path(folder) / "r", commits, tags=tags, head=head, annotated=[name for name in tags if name.endswith("0")]
        )
        repository = Repository.open(Git(Path(folder) / "r"), Release())
        repository.long_from = 0 if long else 100_000
        facts = repository.facts()
        reference = Reference(commits, meant, tags, head)
        number = {name: at for at, name in enumerate(ids)}
        order = [number[verdict.commit.hash] for verdict in facts.verdicts]

        assert set(order) == {number[ids[at]] for at in reference.pending}
        assert all(verdict.why for verdict in facts.verdicts)
        assert (facts.reachable.version if facts.reachable else None) == reference.current
        expected = reference.next(reference.bump(order))
        try:
            decided = decide(facts, Release(), repository.component)
        except ReleaseError:
            assert expected in reference.versions
            return
        assert decided.version == expected
        assert repository.git.calls <= 7
