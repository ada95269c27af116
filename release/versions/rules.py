"""From a message to a line of the notes: which heading it stands under and what it raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipelines.manifest.release import Bump, Release, TypeRule
from release.commits.history import Commit
from release.commits.messages import Header, Message
from release.versions.numbers import RANK

BREAKING = "Breaking changes"
SECURITY = "Security"
REVERTS = "Reverts"
OTHER = "Other"
TYPES: Mapping[str, TypeRule] = {
    "feat": TypeRule(bump="minor", group="Features"),
    "fix": TypeRule(bump="patch", group="Fixes"),
    "perf": TypeRule(bump="patch", group="Performance"),
    "security": TypeRule(bump="patch", group=SECURITY),
    "revert": TypeRule(bump="patch", group=REVERTS),
    **{name: TypeRule() for name in ("build", "chore", "ci", "docs", "refactor", "style", "test")},
}
"""The built-in rules; `release/types` of the manifest adds to them or replaces one."""
_GROUPS = (BREAKING, "Features", "Fixes", "Performance", SECURITY, REVERTS)
_HIDDEN = TypeRule()


class ChangelogEntry(NamedTuple):
    """One line of changelog and notes."""

    commit: Commit
    header: Header
    group: str
    """Heading; empty when hidden."""
    bump: Bump
    breaking: tuple[str, ...]
    """Texts of BREAKING CHANGE footers."""
    upgrade: tuple[str, ...]
    """Texts of Upgrade footers."""
    pull: int
    """0 when unknown."""


class Rules:
    """The manifest's rules with the built-in types in place."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.types = {**TYPES, **release.types}
        own = [rule.group for rule in release.types.values() if rule.group]
        self.groups = tuple(dict.fromkeys((*_GROUPS, *own, OTHER)))
        """Headings in the order they are written."""

    def entry(self, commit: Commit, header: Header, message: Message, pull: int) -> ChangelogEntry:
        """The line for a header; `message` is where its footers stand."""
        rule = self.types.get(header.type, _HIDDEN)
        body = message.body
        if body is None:
            if header.breaking:
                return ChangelogEntry(commit, header, BREAKING, "major", (), (), pull)
            if header.scope != "security":
                return ChangelogEntry(commit, header, rule.group, rule.bump, (), (), pull)
            return ChangelogEntry(commit, header, SECURITY, _at_least_patch(rule.bump), (), (), pull)
        bump, group = rule.bump, rule.group
        if header.scope == "security" or body.security:
            bump, group = _at_least_patch(bump), SECURITY
        if header.breaking or body.breaking:
            bump, group = "major", BREAKING
        return ChangelogEntry(commit, header, group, bump, body.breaking, body.upgrade, pull)

    def plain(self, commit: Commit, message: Message, pull: int) -> ChangelogEntry:
        """The line for a message that is not Conventional, where the manifest lets those count or a footer makes it count."""
        title = (message.merge.title if message.merge else "") or message.subject
        header, body = Header("", "", False, title or "(no message)"), message.body
        if body is not None and body.breaking:
            return ChangelogEntry(commit, header, BREAKING, "major", body.breaking, body.upgrade, pull)
        bump = self.release.unconventional
        if body is not None and body.security:
            return ChangelogEntry(commit, header, SECURITY, _at_least_patch(bump), (), body.upgrade, pull)
        return ChangelogEntry(commit, header, OTHER, bump, (), body.upgrade if body else (), pull)

    def counts(self, message: Message) -> bool:
        """Whether a message that is not Conventional counts."""
        body = message.body
        return self.release.unconventional != "none" or (body is not None and bool(body.breaking or body.security))


def highest_bump(entries: tuple[ChangelogEntry, ...]) -> Bump:
    if len(entries) < 2:
        return entries[0].bump if entries else "none"
    return max((entry.bump for entry in entries), key=RANK.__getitem__, default="none")


def _at_least_patch(bump: Bump) -> Bump:
    return bump if bump != "none" else "patch"
