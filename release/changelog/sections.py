"""A history divided into releases: what each brought, since which one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from release.commits.dates import moment
from release.commits.history import Commit, Log
from release.versions.branches import base_on, line_of_branch
from release.versions.decision import Decision, Facts
from release.versions.ranges import Labels, divide, in_order
from release.versions.reasons import Reason
from release.versions.repository import Repository
from release.versions.rules import ChangelogEntry
from release.versions.tags import Released, highest
from release.versions.tags import in_order as by_version
from release.versions.verdicts import Verdict

if TYPE_CHECKING:
    from semver import Version


class Section(NamedTuple):
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
        return moment(self.time).date().isoformat()

    @property
    def own(self) -> list[Verdict]:
        """The verdicts on commits of this component: those of others are no matter of its notes."""
        return [verdict for verdict in self.verdicts if verdict.because.reason is not Reason.OTHER_COMPONENT]

    def grouped(self, groups: Sequence[str]) -> list[tuple[str, list[ChangelogEntry]]]:
        """Shown entries under their headings, in the order of `groups`; empty ones left out."""
        by_group: dict[str, list[ChangelogEntry]] = {}
        for verdict in self.verdicts:
            for entry in verdict.entries:
                if entry.group:
                    by_group.setdefault(entry.group, []).append(entry)
        if len(by_group) < 2:
            return list(by_group.items())
        return [(group, by_group[group]) for group in groups if group in by_group]


class SectionRange(NamedTuple):
    """A section before its commits are judged: cheap, and all that needs the whole history."""

    version: str
    tag: str
    commit: str
    time: int
    previous: Released | None
    commits: list[Commit]
    touching: set[str] | None
    pending: bool


def section_ranges(
    repository: Repository, prepare: Callable[[Facts], Decision | None], *, prereleases: bool = False
) -> list[SectionRange]:
    """What `prepare` decides to release next, then every release below the commit, highest first, from one reading of the history.

    A pre-release has a section until a higher final release is out below the commit, always with `prereleases`. A final release
    brings all since the final release below it; a pre-release what came since any release below.
    """
    log = repository.read()
    touching = repository.touching(log.commits)
    met = {commit.hash for commit in log.commits}
    shown = _shown([each for each in repository.released if each.commit in met], prereleases)
    finals, pre = [each for each in shown if each.final], [each for each in shown if not each.final]
    made, pending = _divided(log, finals, touching)
    decision = prepare(_facts(repository, log, touching, pending.commits))
    if pre or (decision is not None and decision.version is not None and decision.version.prerelease):
        others, pending_pre = _divided(log, shown, touching)
        made += [pair for pair in others if not pair[0].final]
        if decision is not None and decision.version is not None and decision.version.prerelease:
            pending = pending_pre
    made.sort(key=lambda pair: (pair[0].rank, pair[0].tag), reverse=True)
    ranges = [part for _, part in made]
    if decision is not None and decision.version is not None:
        ranges.insert(0, pending._replace(version=str(decision.version), tag=decision.tag))
    return ranges


def _divided(
    log: Log, releases: Sequence[Released], touching: set[str] | None
) -> tuple[list[tuple[Released, SectionRange]], SectionRange]:
    """The ranges of some releases, regardless of others, and of what comes after them."""
    by_commit: dict[str, list[Released]] = {}
    for released in by_version(releases):
        by_commit.setdefault(released.commit, []).append(released)
    labels, divided = divide(log.commits, by_commit.keys())
    below = _below(labels, by_commit)
    made: list[tuple[Released, SectionRange]] = []
    for name, commits in divided.items():
        if name:
            made += _of_commit(by_commit[name], below.get(name), commits, touching)
    newest = log.commits[0]
    return made, SectionRange("", "", newest.hash, newest.time, below.get(""), divided[""], touching, True)


def judged(repository: Repository, part: SectionRange) -> Section:
    """The section of a range."""
    verdicts = repository.judge_in_order(part.commits, part.touching)
    return Section(
        part.version,
        part.tag,
        part.commit,
        part.time,
        part.previous,
        verdicts,
        part.pending,
    )


def _facts(repository: Repository, log: Log, touching: set[str] | None, pending: Sequence[Commit]) -> Facts:
    """What `Repository.facts` gives, from a log that has everything. `pending`: what no final release has."""
    line = line_of_branch(repository.branch, repository.rules.release)
    met = {commit.hash for commit in log.commits}
    reachable = base_on((each for each in repository.standing if each.final and each.commit in met), line)
    if reachable is not None and (repository.withdrawn or repository.was_withdrawn(reachable)):
        return repository.facts()  # the sections are of every tag, what comes next only of those that stand
    return repository.facts_of(in_order(pending), reachable, touching, met.__contains__)


def section_of(repository: Repository, released: Released) -> Section:
    """The section of one release, reading no more than it needs."""
    considered = [
        each
        for each in repository.out
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
    considered = [each for each in repository.out if each.final or not final]
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
    releases: Sequence[Released], below: Released | None, commits: list[Commit], touching: set[str] | None
) -> Iterator[tuple[Released, SectionRange]]:
    """The ranges of one commit: the lowest version on it has the commits, others (the same commit tagged again) have none."""
    previous, rest, time = below, commits, commits[0].time
    for released in releases:
        yield (
            released,
            SectionRange(released.text, released.tag, released.commit, time, previous, rest, touching, False),
        )
        previous, rest = released, []


def _pending(
    version: str, tag: str, commit: str, verdicts: Sequence[Verdict], previous: Released | None, time: int
) -> Section:
    return Section(
        version=version, tag=tag, commit=commit, time=time, previous=previous, verdicts=verdicts, pending=True
    )
