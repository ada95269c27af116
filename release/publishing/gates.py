"""What must hold before anything is written: each gate its own error. All are asked at once for a plan; publishing stops at the first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pipelines.errors import RefusedError, ShipmateError
from pipelines.manifest.release import Release
from release.publishing.forge import Check, Forge
from release.publishing.lease import Holder, in_force, myself, open_elsewhere
from release.publishing.state import is_ours
from release.refusals import (
    NeverLive,
    NotGreen,
    NotHigher,
    NotOnItsLine,
    TagMoved,
    TreeNotClean,
    VersionFilesDiffer,
    tag_gone,
    tag_put_elsewhere,
)
from release.versions.branches import branches_for, line_of_branch
from release.versions.files import differing, version_locations
from release.versions.repository import Repository
from release.versions.tags import Released, highest, key
from release.versions.withdrawals import WITHDRAWN

if TYPE_CHECKING:
    from semver import Version


@dataclass(frozen=True)
class Passed:
    """A gate that holds, or is left out, and why."""

    gate: str
    says: str


@dataclass(frozen=True)
class Closed:
    """A gate that does not hold."""

    gate: str
    error: RefusedError


@dataclass(frozen=True)
class Warned:
    """A gate that does not hold, or cannot be asked, for a release that users have already: it refuses no more."""

    gate: str
    error: ShipmateError

    @property
    def says(self) -> str:
        return f"{self.error.what}; users have it already, so this is only reported"


DECISIVE = frozenset({"tag", "unlocked"})
"""Gates without which the publication itself would be wrong. The others keep something from users: too late when they have it."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What is asked about."""

    repository: Repository
    forge: Forge
    version: Version
    tag: str
    commit: str
    own_files: Sequence[str] = ()
    """Paths handed over for publishing: they may lie in the working tree."""
    take_over: bool = False
    live: bool = False
    """Users have it: only what is DECISIVE refuses."""
    again: bool = False
    """It was released before, and that release was deleted: it may be lower than what came after it."""
    live_in: str = ""
    """The environment in which it must have been live; empty where none is asked for."""


def ask(candidate: Candidate) -> list[Passed | Warned | Closed]:
    """Every gate's answer, in order. Raises what the forge raises, for a release that users have only at a gate that is decisive."""
    return list(_answers(candidate))


def require(candidate: Candidate) -> list[Passed | Warned]:
    """The answers of gates that let it pass. Raises the error of the first that does not; no gate after it is asked."""
    found: list[Passed | Warned] = []
    for answer in _answers(candidate):
        if isinstance(answer, Closed):
            raise answer.error
        found.append(answer)
    return found


def _answers(candidate: Candidate) -> Iterator[Passed | Warned | Closed]:
    for name, gate in _gates(cache(lambda: _branch_of(candidate))):
        if gate is was_live and not candidate.live_in:
            continue
        try:
            yield Passed(name, gate(candidate))
        except ShipmateError as error:
            if candidate.live and name not in DECISIVE:
                yield Warned(name, error)
            elif isinstance(error, RefusedError):
                yield Closed(name, error)
            else:
                raise


def _gates(branch: Callable[[], str | None]) -> list[tuple[str, Callable[[Candidate], str]]]:
    return [
        ("clean tree", clean_tree),
        ("version files", version_files),
        ("tag", tag_in_place),
        ("live", was_live),
        ("line", lambda candidate: on_its_line(candidate, branch())),
        ("higher", lambda candidate: higher(candidate, branch())),
        ("green", green),
        ("unlocked", unlocked),
    ]


def clean_tree(candidate: Candidate) -> str:
    """Nothing uncommitted. Only what is released from HEAD is judged by the working tree."""
    repository = candidate.repository
    if candidate.commit != repository.head.commit:
        return "released from a commit that is not checked out"
    own = {path.rstrip("/") for path in candidate.own_files}
    dirty = [path for path in repository.git.dirty() if not _among(path, own)]
    if not dirty:
        return "nothing is uncommitted"
    raise TreeNotClean(
        f"{len(dirty)} path(s) are not committed: {', '.join(dirty[:5])}{', …' if len(dirty) > 5 else ''}",
        where=str(repository.git.folder.resolve()),
        why="what was tested here is not what the commit has",
        next_step="commit, ignore or remove them (git status), then run this again",
    )


def version_files(candidate: Candidate) -> str:
    """Every version file of the manifest holds the version, in the commit that is released."""
    declared = version_locations(candidate.repository.component.version_files)
    git = candidate.repository.git
    wrong = differing(declared, str(candidate.version), lambda path: git.file(candidate.commit, path))
    if not wrong:
        return f"{len(declared)} hold {candidate.version}" if declared else "none are named in the manifest"
    # The tag names its component; where the first is meant, the version does.
    first = candidate.repository.name == next(iter(candidate.repository.rules.release.components))
    number = candidate.version if first else candidate.tag
    raise VersionFilesDiffer(
        f"{candidate.tag}, but {'; '.join(wrong)}",
        where=candidate.commit[:9],
        why="the version was not written before the release, or another one was",
        next_step=f"shipmate release bump {number}, merge that, and release the merged commit",
    )


def tag_in_place(candidate: Candidate) -> str:
    """The tag is on this commit, or nowhere: here and on the forge. What was released before must have one."""
    there = candidate.forge.tag(candidate.tag)
    if there is None and (candidate.live or candidate.again):
        raise tag_gone(candidate.tag, candidate.commit)
    here = next((tag.commit for tag in candidate.repository.tags if tag.name == candidate.tag), None)
    for where, commit in (("GitHub", there), ("this clone", here)):
        if commit is not None and commit != candidate.commit:
            raise TagMoved(
                f"{candidate.tag} is on {commit[:9]} in {where}, not on {candidate.commit[:9]}",
                where=candidate.tag,
                why="the tag was moved, or made on another commit",
                next_step=f"release {commit[:9]}, or give {candidate.commit[:9]} the next version; a tag is never moved",
            )
    return "on this commit" if there else "not there yet"


def was_live(candidate: Candidate) -> str:
    """The version was live where it must have been, by the records of deliveries: what is published is what users have.

    It keeps a person from a mistake. Anyone who may write can write such records, too, and publish without this command.
    """
    environment = candidate.live_in
    if candidate.live:
        return "users have it"
    if candidate.version.prerelease:
        return "not asked for of a pre-release"
    if candidate.forge.was_live(environment, candidate.tag, candidate.commit):
        return f"in {environment}, by the records of deliveries"
    raise NeverLive(
        f"{candidate.tag} was never live in {environment}",
        where=candidate.tag,
        why="the release would name as the latest what nobody has, and the next version would come after it",
        next_step=f"push the tag and deliver it: the workflow of {environment} publishes it; what is not delivered there says "
        "`live_in: ''` in release/components of shipmate.yml",
    )


def require_tag(forge: Forge, tag: str, commit: str) -> None:
    """Raises TagGone, TagMoved unless the tag of what was released before is on the forge, on that commit where it is known."""
    there = forge.tag(tag)
    if there is None:
        raise tag_gone(tag, commit)
    if commit and there != commit:
        raise tag_put_elsewhere(tag, commit, there)


def on_its_line(candidate: Candidate, branch: str | None) -> str:
    """The commit is on main, on the maintenance line of its version, or on the branch of its channel."""
    if branch is not None:
        return f"on {branch}"
    branches = _branches(candidate)
    raise NotOnItsLine(
        f"{candidate.commit[:9]} is on none of {', '.join(branches)}",
        where=candidate.tag,
        why="it was never merged, or the branch was not pushed",
        next_step=f"merge it; for a hotfix push it as {branches[1]}, then run this again",
    )


def higher(candidate: Candidate, branch: str | None) -> str:
    """Higher than every other published release of its line, those included that this clone lacks.

    A tag alone stands for nothing that people have: a version may be tagged and then refused, taken back, or still on its way.
    """
    repository = candidate.repository
    line = line_of_branch(branch, repository.rules.release)
    below = repository.contained(branch or candidate.commit)
    published = {entry.tag for entry in candidate.forge.releases() if WITHDRAWN not in entry.body} - {candidate.tag}
    others = [
        each
        for each in repository.released
        if each.tag in published
        and (line.holds(each.rank) if line is not None else each.commit in below or _on(candidate, branch, each))
        and (each.final or candidate.version.prerelease)
    ]
    last = highest(others)
    if last is None or key(candidate.version) > last.rank:
        return f"the last of {line.name if line else 'its line'} is {last.tag}" if last else "the first of its line"
    if in_progress(candidate):
        return f"{last.tag} is out, but {candidate.tag} was begun before: it is finished, and not as the latest"
    if candidate.again:
        return f"{last.tag} is out, but {candidate.tag} was out before: it is made again, and not as the latest"
    refused = NotHigher(
        f"{candidate.version} is not higher than {last.tag}",
        where=line.name if line else branch or "this commit",
        why="people who have the newer one would be offered an older one as new",
        next_step="`shipmate release next` says which version comes next",
    )
    refused.last = str(last.version)
    raise refused


def in_progress(candidate: Candidate) -> bool:
    """Whether GitHub has this release already in part: its tag on this commit, and the release, a draft of ours or a lock."""
    forge, tag = candidate.forge, candidate.tag
    if forge.tag(tag) != candidate.commit:
        return False
    return forge.published(tag) is not None or any(map(is_ours, forge.drafts(tag, ""))) or bool(forge.locks(tag))


def _on(candidate: Candidate, branch: str | None, other: Released) -> bool:
    """Whether a higher release, whose commit this clone lacks, is on the branch: GitHub is asked."""
    newer = other.commit in candidate.repository.absent and other.rank > key(candidate.version)
    return newer and branch is not None and bool(candidate.forge.contains(branch, other.commit))


def green(candidate: Candidate) -> str:
    """The required checks succeeded on exactly this commit. A check that is missing, running or skipped is not green."""
    required = candidate.repository.rules.release.ci_checks
    if not required:
        return "no check is required by the manifest"
    branches = judging(candidate.repository.rules.release)
    checks = {check.name: check for check in candidate.forge.checks(candidate.commit, required, branches)}
    for name in required:
        check = checks.get(name)
        if check is None:
            raise _missing(name, candidate.commit, checks.values())
        if check.conclusion != "success":
            refused = NotGreen(
                f"{name!r} is {check.conclusion or 'still running'} on {candidate.commit[:9]}",
                where=check.url or candidate.commit,
                why="a release is made of what was tested, and this was not found good",
                next_step="fix it and release the commit that is green"
                if check.conclusion
                else "wait for it, then run this again",
            )
            refused.failed = bool(check.conclusion)
            raise refused
    return f"{', '.join(required)} succeeded on {candidate.commit[:9]}"


def _missing(name: str, commit: str, checks: Collection[Check]) -> NotGreen:
    """A required check that is not there yet, since CI still runs, or never will be."""
    running = sorted(check.name for check in checks if not check.conclusion)
    if running:
        return NotGreen(
            f"{name!r} has not begun on {commit[:9]}",
            where=commit,
            why=f"CI is still running: {', '.join(running)}",
            next_step="wait for it, then run this again",
        )
    return NotGreen(
        f"there is no check {name!r} on {commit[:9]}",
        where=commit,
        why=f"CI never ran on this commit; it has {', '.join(sorted(check.name for check in checks)) or 'no checks at all'}",
        next_step="push it to a branch that CI runs on (the default branch, or by a pull request), then run this again",
    )


def judging(rules: Release) -> list[str]:
    """Branches, as globs, whose CI judges a release: the protected ones."""
    own = [branch for branch in rules.channels.values() if branch]
    return [rules.main, rules.maintenance.replace("{line}", "*"), *own]


def unlocked(candidate: Candidate) -> str:
    """No other run has this release open. Publishing takes the lock itself; this only looks."""
    locks = candidate.forge.locks(candidate.tag)
    if not locks:
        return "no other run holds it"
    holder = Holder.of(locks[-1].owner)
    minutes = candidate.repository.rules.release.lease_minutes
    why = in_force(candidate.forge, holder, myself(), minutes=minutes)
    if why and not candidate.take_over:
        raise open_elsewhere(candidate.tag, holder, why)
    return f"held by {holder}, which has ended" if not why else f"to be taken over from {holder}"


def _branches(candidate: Candidate) -> list[str]:
    rules = candidate.repository.rules.release
    channel = (candidate.version.prerelease or "").partition(".")[0]
    own = rules.channels.get(channel, "")
    return list(dict.fromkeys(filter(None, [rules.main, *branches_for(candidate.version, rules), own])))


def _branch_of(candidate: Candidate) -> str | None:
    """The first of the allowed branches that contains the commit, as the forge has them."""
    return next((name for name in _branches(candidate) if candidate.forge.contains(name, candidate.commit)), None)


def _among(path: str, own: set[str]) -> bool:
    folder = path.rstrip("/")
    return any(folder == name or name.startswith(f"{folder}/") or folder.startswith(f"{name}/") for name in own)
