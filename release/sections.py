"""A history cut into releases: what each brought, since which one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from release.changes import Verdict
from release.decision import Decision, Facts
from release.entries import Entry
from release.history import Commit, Log
from release.ranges import Labels, divide, in_order
from release.repository import Repository
from release.versions import Released, highest, line_of_branch
from release.versions import in_order as by_version

if TYPE_CHECKING:
    from semver import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One release, or the one being prepared."""

    version: str
    tag: str
    commit: str
    time: int
    """When its commit was made, seconds since 1970. Not the day of tagging: preparing and publishing then write the same."""
    previous: Released | None
    """The highest release directly below."""
    verdicts: Sequence[Verdict]
    pending: bool = False
    """Its tag does not exist yet."""

    @property
    def date(self) -> str:
        return datetime.fromtimestamp(self.time, UTC).date().isoformat()

    def grouped(self, groups: Sequence[str]) -> list[tuple[str, list[Entry]]]:
        """Shown entries under their headings, in the order of `groups`; empty ones left out."""
        by_group: dict[str, list[Entry]] = {}
        for verdict in self.verdicts:
            for entry in verdict.entries:
                if entry.group:
                    by_group.setdefault(entry.group, []).append(entry)
        if len(by_group) < 2:
            return list(by_group.items())
        return [(group, by_group[group]) for group in groups if group in by_group]


def sections(
    repository: Repository, prepare: Callable[[Facts], Decision | None], *, prereleases: bool = False
) -> Iterator[Section]:
    """What `prepare` decides to release next, then every release below the commit, highest first, from one reading of the history.

    A pre-release has a section until the final release that follows it is out, always with `prereleases`.
    """
    shown = _shown(repository.released, prereleases)
    log = repository.read()
    touching = repository.touching(log.commits)
    by_commit: dict[str, list[Released]] = {}
    for released in by_version(shown):
        by_commit.setdefault(released.commit, []).append(released)
    labels, cut = divide(log.commits, by_commit.keys())
    below = _below(labels, by_commit)
    pending = cut[""] if all(each.final for each in shown) else None
    decision = prepare(_facts(repository, log, touching, pending))
    if decision is not None and decision.version is not None:
        verdicts = repository.judge_in_order(cut[""], touching)
        time = log.commits[0].time
        yield _pending(str(decision.version), decision.tag, decision.commit, verdicts, below.get(""), time)
    made: list[tuple[Released, Section]] = []
    for name, commits in cut.items():
        if name:
            made += _of_commit(repository, by_commit[name], below.get(name), commits, touching)
    made.sort(key=lambda pair: (pair[0].rank, pair[0].tag), reverse=True)
    for _, section in made:
        yield section


def _facts(repository: Repository, log: Log, touching: set[str] | None, pending: Sequence[Commit] | None) -> Facts:
    """What `Repository.facts` gives, from a log that has everything. `pending`: what no final release has, if known already."""
    finals = [each for each in repository.released if each.final]
    line = line_of_branch(repository.branch, repository.rules.release)
    met = {commit.hash for commit in log.commits}
    reachable = highest(each for each in finals if each.commit in met and (line is None or line.holds(each.version)))
    if pending is None:
        pending = divide(log.commits, {each.commit for each in finals})[1][""]
    pending = in_order(pending)
    return repository.facts_of(pending, reachable, repository.judge_in_order(pending, touching))


def section_of(repository: Repository, released: Released) -> Section:
    """The section of one release, reading no more than it needs."""
    considered = [
        each
        for each in repository.released
        if (each.final or not released.final)
        and (each.commit != released.commit or (each.rank, each.tag) < (released.rank, released.tag))
    ]
    since = repository.since(considered, commit=released.commit, before=released)
    verdicts = repository.judge_in_order(since.commits, repository.touching(since.commits))
    time = since.commits[0].time if since.commits else repository.time_of(released.commit)
    return Section(
        version=released.text,
        tag=released.tag,
        commit=released.commit,
        time=time,
        previous=highest(since.below),
        verdicts=verdicts,
    )


def section_next(repository: Repository, version: Version) -> Section:
    """The section of a version to be released: for a pre-release what came after the one before it."""
    final = not version.prerelease
    considered = [each for each in repository.released if each.final or not final]
    since = repository.since(considered)
    verdicts = repository.judge_in_order(since.commits, repository.touching(since.commits))
    time = since.commits[0].time if since.commits else repository.time_of(repository.commit)
    return _pending(
        str(version), repository.format.tag(version), repository.commit, verdicts, highest(since.below), time
    )


def _shown(released: Sequence[Released], prereleases: bool) -> list[Released]:
    newest = highest(each for each in released if each.final)
    return [each for each in released if each.final or prereleases or newest is None or each.rank > newest.rank]


def _below(labels: Labels, by_commit: Mapping[str, list[Released]]) -> dict[str, Released]:
    """For each released commit ("" for HEAD) the highest release directly below it."""
    found: dict[str, Released] = {}
    for lower, upper in labels.pairs():
        candidate = by_commit[lower][-1]
        if upper not in found or found[upper].rank < candidate.rank:
            found[upper] = candidate
    return found


def _of_commit(
    repository: Repository,
    releases: Sequence[Released],
    below: Released | None,
    commits: Sequence[Commit],
    touching: set[str] | None,
) -> Iterator[tuple[Released, Section]]:
    """The sections of one commit: the lowest version on it has the commits, others (the same thing tagged again) have none."""
    previous = below
    verdicts: Sequence[Verdict] = repository.judge_in_order(commits, touching)
    for released in releases:
        yield (
            released,
            Section(
                version=released.text,
                tag=released.tag,
                commit=released.commit,
                time=commits[0].time,
                previous=previous,
                verdicts=verdicts,
            ),
        )
        previous, verdicts = released, ()


def _pending(
    version: str, tag: str, commit: str, verdicts: Sequence[Verdict], previous: Released | None, time: int
) -> Section:
    return Section(
        version=version, tag=tag, commit=commit, time=time, previous=previous, verdicts=verdicts, pending=True
    )
