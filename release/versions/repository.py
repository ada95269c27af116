"""One component of one repository: its facts gathered in as few readings of git as can be."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from pipelines.errors import InputError
from pipelines.manifest.release import Release, ReleaseComponent
from release.commits.dates import seconds
from release.commits.git import Git, Head
from release.commits.history import (
    Commit,
    Log,
    Tag,
    Text,
    absent,
    common_ancestor,
    lacking,
    lineage,
    read_log,
    read_tags,
    require_full,
    require_tags,
    touching,
)
from release.versions.branches import MaintenanceLine, base_on, channel_of_branch, check_channel, line_of_branch
from release.versions.decision import Decision, Facts, decide
from release.versions.overlooked import overlooked, released_elsewhere
from release.versions.ranges import divide, in_order
from release.versions.rules import Rules
from release.versions.tags import Released, TagFormat, format_of
from release.versions.verdicts import Verdict, judge

_NEAREST = 64
"""So many of the newest releases are named to git as known; the commits below them are then never read."""
_ASKED = 20
"""So many annotated tags that are missing here are looked up on the forge, one by one."""


class CommitsSince(NamedTuple):
    """What came after some releases."""

    commits: list[Commit]
    """Newest first, children before parents."""
    below: list[Released]
    """The releases directly below them."""
    met: set[str]
    """Ids of every commit that was read, and of those at which reading ended."""
    whole: bool
    """The whole history was read."""


@dataclass(kw_only=True)
class Repository:
    """What the engine asks of git, for one component and one commit."""

    git: Git
    rules: Rules
    name: str
    component: ReleaseComponent
    format: TagFormat
    head: Head
    tags: Sequence[Tag]
    commit: str
    """What is to be released (HEAD by default)."""
    branch: str | None
    seen: Callable[[int], None] | None = None
    warnings: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Which tags do not count that seem to: known once `facts` were gathered."""
    missing_tags: list[Tag] = field(default_factory=list)
    """Release tags that the forge has and this clone lacks."""
    published: Mapping[str, bool] | None = None
    """Tags of releases that are out -> whether they were withdrawn; None where the forge was not asked: then every tag counts."""
    ask_withdrawn: Callable[[str], bool] | None = None
    """Whether the release of a tag was withdrawn; None where nobody can be asked."""
    withdrawn: set[str] = field(default_factory=set)
    """Tags that do not lead: their releases were withdrawn."""
    absent: set[str] = field(default_factory=set)
    """Those of their commits that this clone lacks, too: none of them can be below the commit."""
    _last_read: tuple[tuple[str, ...], Log] | None = field(default=None, init=False, repr=False)
    """What was asked of `read` last, and its answer."""

    @classmethod
    def open(
        cls,
        git: Git,
        release: Release,
        *,
        component: str = "",
        tag_format: str = "",
        commit: str = "",
        branch: str | None = None,
        seen: Callable[[int], None] | None = None,
    ) -> Repository:
        """Read where the repository stands. Raises InputError for a shallow clone, missing tags, an unknown component or commit."""
        name = component or next(iter(release.components))
        if name not in release.components:
            raise InputError(
                f"there is no release component {name!r}",
                why=f"known are {', '.join(release.components)}",
                next_step="see release/components in shipmate.yml",
            )
        head = git.head()
        require_full(head)
        tags = read_tags(git)
        chosen = format_of(release, name, tag_format)
        at = git.commit(commit) if commit else head.commit
        missing_tags, warnings = require_tags(git, head, tags, lambda tag: chosen.version(tag) is not None, at)
        return cls(
            git=git,
            rules=Rules(release),
            name=name,
            component=release.components[name],
            format=chosen,
            head=head,
            tags=[*tags, *missing_tags],
            commit=at,
            branch=branch if branch is not None else head.branch,
            seen=seen,
            warnings=warnings,
        )

    @cached_property
    def released(self) -> list[Released]:
        """Every release of the component."""
        return self.format.released(self.tags)

    @property
    def standing(self) -> list[Released]:
        """Every release that was not withdrawn, as far as is known."""
        return [each for each in self.released if each.tag not in self.withdrawn]

    @property
    def out(self) -> list[Released]:
        """What users can have: the releases that were published and not withdrawn, where the forge was asked; else every tag."""
        if self.published is None:
            return self.standing
        return [each for each in self.standing if each.tag in self.published]

    def take_published(self, published: Mapping[str, bool]) -> None:
        """Take in what the forge has published: tag -> whether it was withdrawn."""
        self.published = published
        self.withdrawn.update(tag for tag, gone in published.items() if gone)

    def add_missing_tags(self, there: Mapping[str, str | None], look_up: Callable[[str], str | None]) -> None:
        """Take in the release tags that the forge has and this clone lacks. `there`: as `Forge.tags` gives them.

        Raises InputError when too many would have to be looked up.
        """
        known = {tag.name for tag in self.tags}
        missing = [name for name in there if name not in known and self.format.version(name) is not None]
        unknown = [name for name in missing if there[name] is None]
        if len(unknown) > _ASKED:
            raise lacking(unknown, self.head, "they were made since the tags were last fetched")
        found = [(name, there[name] or look_up(name)) for name in missing]
        self.missing_tags = [Tag(name, commit) for name, commit in found if commit is not None]
        self.absent = absent(self.git, {tag.commit for tag in self.missing_tags})
        self.tags = [*self.tags, *self.missing_tags]
        self.__dict__.pop("released", None)

    def require_no_tags_below(self, commit: str) -> None:
        """Refuse when a release that this clone does not know lies below `commit`: version files, changelog and files prepared here
        were made without it. One on the commit itself is harmless. Raises InputError."""
        here = {
            tag.commit: tag.name for tag in self.missing_tags if tag.commit not in self.absent and tag.commit != commit
        }
        if not here:
            return
        below = set(self.git.run("rev-list", commit, "--").decode().split())
        names = sorted(name for name_of, name in here.items() if name_of in below)
        if names:
            raise lacking(names, self.head, f"they were made below {commit[:9]} since the tags were last fetched")

    def channel(self, message: str | None) -> str:
        """The channel of the option, else the one of the branch; empty for final releases. Raises InputError for an unknown one."""
        chosen = message if message is not None else channel_of_branch(self.branch, self.rules.release)
        if chosen:
            check_channel(chosen, self.rules.release)
        return chosen

    def decide(self, channel: str | None = None) -> Decision:
        """The next version, on a channel as for `channel`. Raises InputError, and ReleaseError as `decide` does."""
        chosen = self.channel(channel)
        return decide(self.facts(), self.rules.release, self.component, channel=chosen)

    def facts(self) -> Facts:
        """What the next version is decided from. A release that was withdrawn does not lead."""
        while True:
            found = self._facts()
            if found.reachable is None or not self.was_withdrawn(found.reachable):
                return found

    def was_withdrawn(self, released: Released) -> bool:
        """Whether a release that would lead was withdrawn; the forge is asked where it can be."""
        if released.tag not in self.withdrawn and (self.ask_withdrawn is None or not self.ask_withdrawn(released.tag)):
            return False
        self.withdrawn.add(released.tag)
        return True

    def _facts(self) -> Facts:
        line = line_of_branch(self.branch, self.rules.release)
        finals = [each for each in self.standing if each.final]
        on_line = [each for each in finals if line is None or line.holds(each.rank)]
        since = self.since(finals)
        reachable = base_on((each for each in finals if each.commit in since.met), line)
        if not since.whole and (reachable is None or any(each.rank > reachable.rank for each in on_line)):
            # A higher release may lie deeper (tags out of order) or elsewhere: only the whole history tells.
            since = self.since(finals, whole=True)
            reachable = base_on((each for each in finals if each.commit in since.met), line)
        return self.facts_of(since.commits, reachable, self.touching(since.commits), self._is_below)

    def facts_of(
        self,
        pending: Sequence[Commit],
        reachable: Released | None,
        touching: set[str] | None,
        is_below: Callable[[str], bool],
    ) -> Facts:
        """Facts from a history already read. `pending`: in the order of their range; `is_below`: whether the commit has another below
        it, or is it."""
        ids = {commit.hash for commit in pending}
        prereleased = [each for each in self.released if not each.final and each.commit in ids]
        line = line_of_branch(self.branch, self.rules.release)
        elsewhere = released_elsewhere(self, reachable, line, is_below)
        self.left_out = list(overlooked(self, reachable, elsewhere))
        return Facts(
            component=self.name,
            format=self.format,
            commit=self.commit,
            branch=self.branch,
            released=self.released,
            withdrawn=frozenset(self.withdrawn),
            reachable=reachable,
            pending=pending,
            verdicts=self.judge_in_order(pending, touching),
            prereleased=prereleased,
            prereleased_before=self._prereleased_before(prereleased, reachable, line, is_below) if pending else None,
            unreleased=self._unreleased(pending, prereleased, touching),
            elsewhere=elsewhere,
            warnings=(*self.warnings, *self.left_out),
        )

    def _prereleased_before(
        self,
        pending: Sequence[Released],
        reachable: Released | None,
        line: MaintenanceLine | None,
        is_below: Callable[[str], bool],
    ) -> Released | None:
        """The highest pre-release below the commit that is above `reachable`, although that came after it."""
        if reachable is None:
            return None
        candidates = (
            each
            for each in self.standing
            if not each.final
            and each.rank > reachable.rank
            and each.commit not in self.absent
            and (line is None or line.holds(each.rank))
            and each not in pending
        )
        ranked = sorted(candidates, key=lambda each: each.rank, reverse=True)[:_NEAREST]
        return next((each for each in ranked if is_below(each.commit)), None)

    def _is_below(self, commit: str) -> bool:
        """Whether the commit to be released has another below it, or is it."""
        if commit in self.absent:
            return False
        process = self.git.start("merge-base", "--is-ancestor", commit, self.commit)
        process.communicate()
        return process.returncode == 0

    def _unreleased(
        self, pending: Sequence[Commit], prereleased: Sequence[Released], touching: set[str] | None
    ) -> dict[str, int]:
        """For each channel, how many commits that count came after its newest pre-release. They are judged by themselves: a revert of
        something that the pre-release has counts."""
        by_channel: dict[str, set[str]] = {}
        for each in prereleased:
            by_channel.setdefault((each.version.prerelease or "").partition(".")[0], set()).add(each.commit)
        found: dict[str, int] = {}
        for channel, commits in by_channel.items():
            _, sections = divide(pending, commits)
            found[channel] = sum(verdict.bump != "none" for verdict in self.judge_in_order(sections[""], touching))
        return found

    def since(
        self, considered: Sequence[Released], *, commit: str = "", before: Released | None = None, whole: bool = False
    ) -> CommitsSince:
        """The commits below `commit` that none of the releases considered contains. `before`: the release the commit has.

        The newest releases (before that one) are given to git, which then reads no more than came after them. Its answer is taken when
        `_below` proves it; otherwise the whole history is read.
        """
        commit = commit or self.commit
        by_commit: dict[str, Released] = {}
        for each in sorted(considered, key=attrgetter("rank")):
            if each.commit not in self.absent:
                by_commit[each.commit] = each
        ranked = [name for name, each in by_commit.items() if before is None or each.rank < before.rank]
        short = bool(ranked) and not whole
        log = self.read(ranked[-_NEAREST:] if short else (), include=commit)
        lower = self._below(log, commit, by_commit) if short else []
        if lower is None:
            return self.since(considered, commit=commit, before=before, whole=True)
        labels, sections = divide([*log.commits, *lower], by_commit.keys())
        below = [by_commit[lower] for lower, upper in labels.pairs() if not upper]
        met = {each.hash for each in (*log.commits, *lower)}
        return CommitsSince(in_order(sections[""]), below, met, not short)

    def _below(self, log: Log, commit: str, released: Container[str]) -> list[Commit] | None:
        """Commits that lie below those of a log which left out releases: the ends of it, and what connects them, without messages.

        None unless two facts are certain. What was left out is in a release below `commit`: each end is one, or below another
        end that is. And nothing that was listed is in one: no commit is below its own ancestors, so where all that is listed
        descends from one commit, it is enough to look from the releases down to that. No date of a commit counts in either.
        """
        ends = log.ends if log.commits else [commit]
        tops = [end for end in ends if end in released]
        if not tops or len(ends) > _NEAREST or not all(each.parents for each in log.commits):
            return None
        if len(ends) == 1:
            return [_unread(ends[0])]
        base = common_ancestor(self.git, ends)
        if not base:
            return None
        lower = [_unread(name, parents) for name, *parents in lineage(self.git, tops, base)]
        met = {base, *(each.hash for each in lower)}
        if not met.issuperset(ends) or not met.isdisjoint(each.hash for each in log.commits):
            return None
        return [*lower, _unread(base)]

    def judge_in_order(self, commits: Sequence[Commit], touching: set[str] | None) -> list[Verdict]:
        """Verdicts on the commits of one range, in the order of that range alone."""
        return judge(in_order(commits), self.rules, touching=touching, component=self.name)

    def touching(self, commits: Sequence[Commit]) -> set[str] | None:
        """Ids among these commits that belong to the component; None when every commit does."""
        if not (self.component.paths or self.component.exclude) or not commits:
            return None
        ids = {commit.hash for commit in commits}
        below = {parent for commit in commits for parent in commit.parents} - ids
        return touching(self.git, commits[0].hash, sorted(below), self.component.paths, self.component.exclude)

    def contained(self, branch: str) -> set[str]:
        """Ids of all commits of a branch as last fetched, else as it is here, else of the commit to be released. Not by
        `--merged`: that trusts the dates of commits."""
        for name in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}", self.commit):
            out = self.git.run("rev-list", name, "--", ok=(0, 128))
            if out:
                return set(out.decode().split())
        return set()

    def time_of(self, commit: str) -> int:
        """When a commit was made, seconds since 1970."""
        return seconds(self.git.run("log", "-1", "--format=%ct", "--no-show-signature", commit).decode().strip())

    def read(self, exclude: Sequence[str] = (), *, include: str = "") -> Log:
        """The commits below one (that to be released by default) that are below none of `exclude`; the last answer is kept, for the notes
        ask what the version was decided from."""
        asked = (include or self.commit, *exclude)
        if self._last_read is None or self._last_read[0] != asked:
            log = read_log(self.git, asked[0], exclude, squash_body=self.rules.release.squash_body, seen=self.seen)
            self._last_read = (asked, log)
        return self._last_read[1]


_NO_TEXT = Text("")


def _unread(name: str, parents: Iterable[str] = ()) -> Commit:
    """Stands for a commit below those that were read."""
    return Commit(name, tuple(parents), 0, "", "", _NO_TEXT)
