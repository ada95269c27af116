"""What each commit of a range does: whether it counts, why, and what of it stands in the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipelines.manifest.release import Bump
from release.commits.bodies import Body
from release.commits.history import Commit
from release.commits.messages import Header, Merge, Message, cut_pulls, read_header
from release.commits.reverts import OWN, cancel
from release.versions.numbers import RANK
from release.versions.ranges import brought
from release.versions.reasons import Because, Reason
from release.versions.rules import BREAKING, ChangelogEntry, Rules, highest_bump

_OWN_MESSAGE, _UNREADABLE, _SKIPPED = Because(Reason.OWN_MESSAGE), Because(Reason.UNREADABLE), Because(Reason.SKIPPED)


class Verdict(NamedTuple):
    """What became of one commit."""

    commit: Commit
    bump: Bump
    because: Because
    entries: tuple[ChangelogEntry, ...] = ()


def judge(
    commits: Sequence[Commit], rules: Rules, *, touching: set[str] | None = None, component: str = ""
) -> list[Verdict]:
    """A verdict for each commit of a range, in the order given.

    The first commit is the range's newest, and every other one is below it. `touching`: ids that change the component's paths, None
    when it has none of its own.
    """
    if not commits:
        return []
    if touching is None and not any(map(_relates, commits)):
        return [_plain(commit, rules) for commit in commits]
    judged = _Range(commits, rules, touching, component or "this component")
    return [judged.verdict(commit) for commit in commits]


def _relates(commit: Commit) -> bool:
    """Whether a commit says more than its first line: a merge, the message of one, or a body that was worth reading."""
    message = commit.message
    return len(commit.parents) > 1 or message.body is not None or message.merge is not None


def _plain(commit: Commit, rules: Rules) -> Verdict:
    """A verdict where nothing is merged, reverted or added by a body: what most commits of most histories need."""
    message = commit.message
    header = message.header
    if message.skip:
        return Verdict(commit, "none", _SKIPPED)
    if header is None and not rules.counts(message):
        return Verdict(commit, "none", _UNREADABLE)
    pull = message.pulls[-1] if message.pulls else 0
    entry = rules.plain(commit, message, pull) if header is None else rules.entry(commit, header, message, pull)
    return Verdict(commit, entry.bump, _OWN_MESSAGE, (entry,))


class _Range:
    """The commits of one range and how they relate: who brought whom, who takes back whom."""

    def __init__(self, commits: Sequence[Commit], rules: Rules, touching: set[str] | None, component: str) -> None:
        self.rules = rules
        self.touching = touching
        self.component = component
        self.brought_by: Mapping[str, str] = {}
        self.by_hash: Mapping[str, Commit] = {}
        if any(len(commit.parents) > 1 for commit in commits):
            self.brought_by = brought(commits, commits[0].hash)
            self.by_hash = {commit.hash: commit for commit in commits}
        self.cancelled = cancel(commits, self.brought_by)
        if touching is not None:
            self.touching = touching | {merge for name, merge in self.brought_by.items() if name in touching}
        self.skipping = {name for name in set(self.brought_by.values()) if self.by_hash[name].message.skip}
        self.announced: dict[str, set[str]] = {}
        self.level = self._levels() if self.brought_by else {}

    def verdict(self, commit: Commit) -> Verdict:
        message = commit.message
        if left_out := self._left_out(commit):
            return Verdict(commit, "none", left_out)
        if covering := self._covered(commit):
            return Verdict(commit, "none", Because(Reason.COVERED_BY_MERGE, covering))
        if (merge := _merge_of(commit)) is not None:
            return self._of_merge(commit, merge)
        return self._of_message(commit, message)

    def _left_out(self, commit: Commit) -> Because | None:
        """Why a commit does not count whatever it says; None when it may."""
        if self.touching is not None and commit.hash not in self.touching:
            return Because(Reason.OTHER_COMPONENT, self.component)
        if commit.message.skip:
            return _SKIPPED
        if self.skipping and (merge := self.brought_by.get(commit.hash)) in self.skipping:
            return Because(Reason.SKIPPED_BY_MERGE, _name(self.by_hash[merge]))
        by = self.cancelled.reverted_by.get(commit.hash)
        return Because(Reason.REVERTED, by) if by else None

    def _of_message(self, commit: Commit, message: Message) -> Verdict:
        acting = self.cancelled.acting.get(commit.hash, ())
        taken = self.cancelled.reverts.get(commit.hash, ())
        pull = self._pull(commit)
        header = _header(message, acts=OWN in acting)
        entries: tuple[ChangelogEntry, ...] = ()
        if header is not None:
            entries = (self.rules.entry(commit, header, message, pull),)
        elif OWN not in acting and message.body is not None and (message.body.breaking or message.body.security):
            entries = (self.rules.plain(commit, message, pull),)
        if message.listed:
            entries += tuple(self._listed(commit, header, pull))
            entries = _with_upgrade(entries, message.body.upgrade if message.body else ())
        if not entries and not taken and self.rules.counts(message):
            entries = (self.rules.plain(commit, message, pull),)
        because = Because(Reason.OWN_MESSAGE, reverts=tuple(taken)) if entries or taken else _UNREADABLE
        return Verdict(commit, highest_bump(entries), because, entries)

    def _pull(self, commit: Commit) -> int:
        message = commit.message
        merge = message.merge
        if message.pulls:
            return message.pulls[-1]
        if merge is None and self.brought_by:
            bringing = self.by_hash.get(self.brought_by.get(commit.hash, ""))
            merge = _merge_of(bringing) if bringing else None
        return merge.pull if merge else 0

    def _listed(self, commit: Commit, header: Header | None, pull: int) -> list[ChangelogEntry]:
        """Commits listed in a squash body, without those that skip or cancel, or repeat the header or each other."""
        acting, gone = self.cancelled.acting.get(commit.hash, ()), self.cancelled.dropped.get(commit.hash, ())
        met = {(header.type, header.description)} if header else set()
        entries: list[ChangelogEntry] = []
        for place, each in enumerate(commit.message.listed):
            if each.skip or place in gone:
                continue
            message = _header(each, acts=place in acting)
            breaks = each.body is not None and bool(each.body.breaking)
            if message is None:
                if breaks and place not in acting:
                    entries.append(self.rules.plain(commit, each, pull))
            elif breaks or (message.type, message.description) not in met:
                met.add((message.type, message.description))
                entries.append(self.rules.entry(commit, message, each, pull))
        return entries

    def _of_merge(self, commit: Commit, merge: Merge) -> Verdict:
        """A merge counts by the title of its pull request, unless the commits it brought raise as much themselves."""
        body = commit.message.body
        if merge.header is not None:
            entry = self.rules.entry(commit, merge.header, commit.message, merge.pull)
        elif body is not None and (body.breaking or body.security):
            entry = self.rules.plain(commit, commit.message, merge.pull)
        else:
            return Verdict(commit, "none", Because(Reason.MERGE_WITHOUT_TITLE))
        outer = self.brought_by.get(commit.hash, commit.hash)
        speaks_for_all = self.rules.release.merge == "title" and outer == commit.hash
        repeats = self.level.get(outer, -1) >= RANK[entry.bump] and self.announced.get(outer, set()).issuperset(
            entry.breaking
        )
        if repeats and not speaks_for_all:
            return Verdict(commit, "none", Because(Reason.MERGE_OF_COUNTED))
        return Verdict(commit, entry.bump, Because(Reason.MERGE_TITLE), (entry,))

    def _levels(self) -> dict[str, int]:
        """For each merge on the first-parent line: the highest that the commits it brought raise by themselves."""
        levels: dict[str, int] = {}
        for name, merge in self.brought_by.items():
            commit = self.by_hash[name]
            if _merge_of(commit) is None and not self._left_out(commit):
                found = self._of_message(commit, commit.message)
                levels[merge] = max(levels.get(merge, -1), RANK[found.bump])
                for entry in found.entries:
                    if entry.breaking:
                        self.announced.setdefault(merge, set()).update(entry.breaking)
        return levels

    def _covered(self, commit: Commit) -> str:
        """The merge whose title counts instead of this commit (`merge: title`); empty when there is none."""
        if self.rules.release.merge != "title" or not self.brought_by:
            return ""
        merge = self.by_hash.get(self.brought_by.get(commit.hash, ""))
        if merge is None or self._left_out(merge):
            return ""
        found = merge.message.merge
        if merge.message.header is None and (found is None or found.header is None):
            return ""
        return _name(merge)


def _merge_of(commit: Commit) -> Merge | None:
    """What a merge says; None for a commit with one parent: Azure, Bitbucket and GitLab give squashes the message of a merge."""
    message = commit.message
    if len(commit.parents) < 2 or (message.body is not None and message.body.revert_depth):
        return None
    if message.header is not None:
        return Merge(message.pulls[-1] if message.pulls else 0, message.subject, message.header)
    return message.merge


def _name(merge: Commit) -> str:
    found = merge.message.merge
    return f"#{found.pull}" if found and found.pull else merge.short


def _header(message: Message, *, acts: bool) -> Header | None:
    """What a message says; a revert that `acts` on a commit of its range only what it breaks itself."""
    header, body = message.header or (message.merge.header if message.merge else None), message.body
    if body is None or not body.revert_depth:
        return header
    breaks = bool(body.breaking) or (header is not None and header.breaking)
    return _header_of_revert(header, body) if breaks or not acts else None


def _with_upgrade(entries: tuple[ChangelogEntry, ...], upgrade: tuple[str, ...]) -> tuple[ChangelogEntry, ...]:
    """How to upgrade, written for a whole squash, given to what breaks in it."""
    if not upgrade or any(entry.breaking or entry.upgrade for entry in entries if entry.group == BREAKING):
        return entries
    return tuple(entry._replace(upgrade=upgrade) if entry.group == BREAKING else entry for entry in entries)


def _header_of_revert(own: Header | None, body: Body) -> Header:
    """What a revert of something released before says: that it is gone, or (reverted again) what is back."""
    title, _ = cut_pulls(body.revert_title)
    inner, _ = read_header(title)
    if body.revert_depth % 2 == 0:
        return inner or Header("revert", "", False, f'Reapply "{title}"')
    scope = (own.scope if own else "") or (inner.scope if inner else "")
    return Header("revert", scope, own.breaking if own else False, inner.description if inner else title)
