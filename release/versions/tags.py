"""Versions: reading them from tags, ordering them, raising them, the lines and channels they belong to. SemVer 2.0.0 by `semver`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipelines.errors import InputError
from release.commits.history import Tag

if TYPE_CHECKING:
    from semver import Version

    from pipelines.manifest.release import Bump, Release

RANK: dict[str, int] = {"none": 0, "patch": 1, "minor": 2, "major": 3}
_CHANNEL = re.compile(r"[A-Za-z][0-9A-Za-z-]*")


class Released(NamedTuple):
    """A version that a tag gave."""

    version: Version
    tag: str
    commit: str
    text: str
    """The version as the tag has it."""
    rank: tuple[object, ...]
    """Sorts versions as SemVer does (rule 11)."""
    final: bool
    """No pre-release."""


class TagFormat:
    """How versions are written as tags: `v{version}`."""

    def __init__(self, text: str) -> None:
        if text.count("{version}") != 1 or re.search(r"[\s~^:?*\[\\]|\.\.|@\{|//", text):
            raise InputError(
                f"the tag format {text!r} cannot be used",
                why="it needs {version} exactly once, and only what git allows in a tag",
                next_step="write it as 'v{version}' or 'mobile-v{version}'",
            )
        self.text = text
        self.prefix, _, self.suffix = text.partition("{version}")

    def tag(self, version: Version | str) -> str:
        return f"{self.prefix}{version}{self.suffix}"

    def version(self, tag: str) -> Version | None:
        """The version in a tag, None when the tag is not of this format or holds no semantic version."""
        from semver import Version

        if not tag.startswith(self.prefix) or not tag.endswith(self.suffix):
            return None
        try:
            return Version.parse(tag[len(self.prefix) : len(tag) - len(self.suffix) or None])
        except ValueError:
            return None

    def released(self, tags: Iterable[Tag]) -> list[Released]:
        """The versions among tags, in the order given."""
        found: list[Released] = []
        end = -len(self.suffix) or None
        for tag in tags:
            version = self.version(tag.name)
            if version is not None:
                text = tag.name[len(self.prefix) : end]
                found.append(Released(version, tag.name, tag.commit, text, key(version), not version.prerelease))
        return found

    def read(self, text: str) -> Version:
        """A version a person gave, with or without the tag's prefix. Raises InputError."""
        from semver import Version

        if (version := self.version(text)) is not None:
            return version
        try:
            return Version.parse(text)
        except ValueError:
            raise InputError(
                f"{text!r} is not a version",
                why=f"versions are written like 1.2.3 or 1.2.3-rc.1, and tagged as {self.text!r}",
                next_step="`shipmate release next` says which one comes next",
            ) from None


def key(version: Version) -> tuple[object, ...]:
    """A sort key in the order of SemVer rule 11; the library's own comparison costs microseconds each, and there are thousands."""
    pre = version.prerelease
    if not pre:
        return (version.major, version.minor, version.patch, 1, ())
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split("."))
    return (version.major, version.minor, version.patch, 0, parts)


def in_order(released: Iterable[Released]) -> list[Released]:
    """Lowest first; versions of equal rank by the name of their tag."""
    return sorted(released, key=lambda each: (each.rank, each.tag))


def highest(released: Iterable[Released]) -> Released | None:
    return max(released, key=lambda each: (each.rank, each.tag), default=None)


class MaintenanceLine(NamedTuple):
    """A maintenance line: versions 1.x, or 1.2.x."""

    name: str
    major: int
    minor: int | None

    def holds(self, version: Version) -> bool:
        return bool(version.major == self.major) and (self.minor is None or bool(version.minor == self.minor))


def line_of_branch(branch: str | None, rules: Release) -> MaintenanceLine | None:
    """The maintenance line a branch stands for: release/1.x -> 1.x."""
    before, _, after = rules.maintenance.partition("{line}")
    pattern = re.escape(before) + r"((\d+)(?:\.(\d+))?(?:\.[xX])?)" + re.escape(after)
    found = re.fullmatch(pattern, branch or "")
    if found is None:
        return None
    return MaintenanceLine(found[1], int(found[2]), int(found[3]) if found[3] else None)


def branches_for(version: Version, rules: Release) -> list[str]:
    """The maintenance branches a version may come from, narrowest first."""
    lines = (
        f"{version.major}.{version.minor}.x",
        f"{version.major}.{version.minor}",
        f"{version.major}.x",
        f"{version.major}",
    )
    return [rules.maintenance.replace("{line}", line) for line in lines]


def raised(current: Version, bump: Bump, rules: Release) -> Version:
    """The version after `current`; before 1.0.0 as the rules say."""
    if current.major == 0:
        bump = {"major": rules.zero_breaking, "minor": rules.zero_feature}.get(bump, bump)
    base = current.finalize_version()
    if bump == "major":
        return base.bump_major()
    return base.bump_minor() if bump == "minor" else base.bump_patch()


def check_channel(channel: str, rules: Release) -> None:
    """Raises InputError for a channel the manifest does not know."""
    if channel not in rules.channels or not _CHANNEL.fullmatch(channel):
        raise InputError(
            f"there is no channel {channel!r}",
            why=f"known are {', '.join(rules.channels) or 'none'}",
            next_step="add it to release/channels in shipmate.yml, or use one of those",
        )


def channel_of_branch(branch: str | None, rules: Release) -> str:
    """The channel a branch releases on by itself; empty for final releases."""
    return next((name for name, on in rules.channels.items() if on and on == branch), "")


def numbered(core: Version, channel: str, existing: Sequence[Released]) -> Version:
    """The next pre-release of `core` on a channel: one more than the highest number among all tags, reachable or not."""
    taken = [
        int(number)
        for each in existing
        if each.version.finalize_version() == core
        for name, _, number in [(each.version.prerelease or "").partition(".")]
        if name == channel and number.isdigit()
    ]
    return core.replace(prerelease=f"{channel}.{max(taken, default=0) + 1}")


def is_latest(version: Version, released: Iterable[Released]) -> bool:
    """Whether a version outranks every final release: only such a one is GitHub's `latest`."""
    rank = key(version)
    return not version.prerelease and all(rank >= each.rank for each in released if each.final)
