"""The next version, and why: pure, from the tags, the commits since the last release, and the rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import InputError, ReleaseError
from pipelines.manifest.release import Bump, Release, ReleaseComponent
from release.commits.history import Commit
from release.versions.branches import MaintenanceLine, line_of_branch
from release.versions.numbers import RANK, is_latest, numbered, raised
from release.versions.reasons import LEFT_OUT, Outcome
from release.versions.tags import Released, TagFormat, highest, key
from release.versions.verdicts import Verdict

if TYPE_CHECKING:
    from semver import Version


_TOO_MANY = 1_000
"""Commits since a release; more are no release when a higher one was made elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a decision is made from."""

    component: str
    format: TagFormat
    commit: str
    branch: str | None
    released: Sequence[Released]
    """Every release of the component in the repository, reachable or not."""
    reachable: Released | None
    """The highest final release below the commit, on the branch's maintenance line if it is one."""
    pending: Sequence[Commit]
    """Commits that no final release below contains, newest first."""
    verdicts: Sequence[Verdict]
    """One for each pending commit."""
    prereleased: Sequence[Released]
    """Pre-releases made from the pending commits."""
    prereleased_before: Released | None
    """The highest pre-release that is above `reachable` and lies below it."""
    unreleased: dict[str, int]
    """For each channel, how many pending commits that count came after its newest pre-release."""
    withdrawn: frozenset[str] = frozenset()
    """Tags of releases that were withdrawn: they do not lead, and their numbers are never used again."""
    elsewhere: Released | None = None
    """The highest final release above `reachable` that is not below the commit."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Which version comes next; `version` None means there is nothing to release."""

    component: str
    commit: str
    branch: str | None
    current: Released | None
    version: Version | None
    tag: str
    bump: Bump
    outcome: Outcome
    prerelease: Released | None
    """The one that makes the outcome what it is, where one does."""
    channel: str
    line: MaintenanceLine | None
    latest: bool
    """Whether it will be GitHub's latest release."""
    verdicts: Sequence[Verdict]
    warnings: tuple[str, ...]


def decide(facts: Facts, rules: Release, component: ReleaseComponent, *, channel: str = "") -> Decision:
    """The next version. Raises ReleaseError where every possible answer would be wrong (off the line, taken by another commit)."""
    _check_history(facts)
    bump: Bump = max((verdict.bump for verdict in facts.verdicts), key=RANK.__getitem__, default="none")
    line = line_of_branch(facts.branch, rules)
    core, outcome, prerelease = _core(facts, rules, component, bump)
    if core is not None and channel:
        newest = _newest_on(channel, core, facts)
        if newest is not None and not facts.unreleased.get(channel, 0):
            core, outcome, prerelease = None, Outcome.CHANNEL_HAS_ALL, newest
        else:
            core = numbered(core, channel, facts.released)
            _check_above(core, channel, facts)
    if core is not None:
        _check_line(core, line, facts)
        _check_free(core, line, facts)
    return Decision(
        component=facts.component,
        commit=facts.commit,
        branch=facts.branch,
        current=facts.reachable,
        version=core,
        tag=facts.format.tag(core) if core is not None else "",
        bump=bump,
        outcome=outcome,
        prerelease=prerelease,
        channel=channel,
        line=line,
        latest=core is not None
        and facts.component == next(iter(rules.components))
        and is_latest(core, [each for each in facts.released if each.tag not in facts.withdrawn]),
        verdicts=facts.verdicts,
        warnings=facts.warnings + _warnings(facts.verdicts),
    )


def _core(
    facts: Facts, rules: Release, component: ReleaseComponent, bump: Bump
) -> tuple[Version | None, Outcome, Released | None]:
    """The final version these commits make, before any channel; why; and the pre-release that says so, if one does."""
    candidate: Version | None = None
    outcome = Outcome.NOTHING_COUNTS if facts.pending else Outcome.NO_COMMITS
    if facts.reachable is None:
        if any(verdict.because.reason not in LEFT_OUT for verdict in facts.verdicts):
            candidate, outcome = _initial(component), Outcome.FIRST_VERSION
    elif bump != "none":
        candidate, outcome = raised(facts.reachable.version, bump, rules), Outcome.CHANGES
    line = line_of_branch(facts.branch, rules)
    if candidate is not None and line is not None and key(candidate) < key(line.first):
        # A line that has no release yet begins with its own first version.
        candidate = line.first
    candidate = _past_withdrawn(candidate, facts)
    before = [facts.prereleased_before] if facts.prereleased_before is not None and candidate is not None else []
    out = highest([*facts.prereleased, *before])
    if out is not None and (candidate is None or key(out.version.finalize_version()) > key(candidate)):
        return out.version.finalize_version(), Outcome.PRERELEASE_IS_OUT, out
    return candidate, outcome, None


def _past_withdrawn(candidate: Version | None, facts: Facts) -> Version | None:
    """The version after those that were withdrawn."""
    taken = {each.rank for each in facts.released if each.tag in facts.withdrawn}
    while candidate is not None and key(candidate) in taken:
        candidate = candidate.bump_patch()
    return candidate


def _initial(component: ReleaseComponent) -> Version:
    from semver import Version

    try:
        return Version.parse(component.initial)
    except ValueError:
        raise InputError(
            f"{component.initial!r} is not a version",
            where="release/components/…/initial",
            next_step="write it as 1.0.0",
        ) from None


def _newest_on(channel: str, core: Version, facts: Facts) -> Released | None:
    """The newest pre-release of `core` on a channel that these commits made."""
    numbers = key(core)[:3]
    return highest(
        each
        for each in facts.prereleased
        if each.core == numbers and (each.version.prerelease or "").partition(".")[0] == channel
    )


def _check_history(facts: Facts) -> None:
    """Raises ReleaseError where what comes next would be made of years: final releases are made on branches, and none was merged back."""
    if facts.elsewhere is None or len(facts.pending) <= _TOO_MANY:
        return
    base = f"since {facts.reachable.tag}" if facts.reachable else "in this history, which has no release"
    raise ReleaseError(
        f"there are {len(facts.pending):,} commits {base}, and {facts.elsewhere.tag} is not below {facts.commit[:9]}",
        where=facts.branch or "detached HEAD",
        why="releases are made on branches here that were not merged back, so that nothing says what this commit has beyond them",
        next_step=f"git switch to the branch of {facts.elsewhere.tag}, or merge it: git merge {facts.elsewhere.tag}",
    )


def _check_line(version: Version, line: MaintenanceLine | None, facts: Facts) -> None:
    if line is None:
        return
    if not line.holds(key(version)):
        culprits = [v for v in facts.verdicts if v.bump in ("major", "minor")]
        named = "; ".join(f"{v.commit.short} {v.commit.message.subject}" for v in culprits[:3])
        raise ReleaseError(
            f"{version} does not belong on the maintenance line {line.name}",
            where=facts.branch or "",
            why=f"these commits ask for more than the line may give: {named}"
            if named
            else "its last release is not below",
            next_step="take them off the line, or release them from the main branch",
        )


def _check_free(version: Version, line: MaintenanceLine | None, facts: Facts) -> None:
    """No tag of this version anywhere: it would be on another commit, or HEAD would have it below."""
    rank = key(version)
    taken = next((each for each in facts.released if each.rank == rank), None)
    if taken is None:
        return
    raise ReleaseError(
        f"{facts.format.tag(version)} comes next after {facts.reachable.tag if facts.reachable else 'nothing'}, but it exists "
        f"already on {taken.commit[:9]}, which is not below {facts.commit[:9]}",
        where=facts.branch or "detached HEAD",
        why="two lines of history would share a version",
        next_step=_out_of_the_way(taken, line, facts),
    )


def _out_of_the_way(taken: Released, line: MaintenanceLine | None, facts: Facts) -> str:
    if line is not None:
        version = taken.version
        return f"git switch -c release/{version.major}.{version.minor}.x {taken.tag}, and pick the commits onto it"
    return (
        f"merge it back: git merge {taken.tag}, then run this again"
        if taken.final
        else f"merge {taken.tag} back, or name the version"
    )


def _check_above(version: Version, channel: str, facts: Facts) -> None:
    """A pre-release is above those of its version whose channel is written otherwise: rc1 is above rc.2, for SemVer compares letters."""
    rank = key(version)
    above = highest(
        each
        for each in facts.released
        if each.rank > rank
        and not each.final
        and each.core == rank[:3]
        and re.fullmatch(
            rf"{re.escape(channel)}[-0-9][0-9A-Za-z-]*", (each.version.prerelease or "").partition(".")[0], re.I
        )
    )
    if above is not None:
        raise ReleaseError(
            f"{facts.format.tag(version)} would be lower than {above.tag}, which is out",
            where=facts.branch or "detached HEAD",
            why=f"{above.version.prerelease!r} is one word, which Semantic Versioning puts above {channel!r} with any number (rule 11)",
            next_step=f"publish {facts.format.tag(version.finalize_version())}, or name a version above {above.tag}",
        )


def _warnings(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    return tuple(f"{v.commit.short}: {warning}" for v in verdicts for warning in v.commit.message.warnings)
