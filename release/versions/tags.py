"""Versions as tags: how they are written, read and ordered. SemVer 2.0.0 by `semver`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pipelines.errors import InputError
from release.commits.history import Tag

if TYPE_CHECKING:
    from semver import Version


_PLAIN = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")


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
        if not tag.startswith(self.prefix) or not tag.endswith(self.suffix):
            return None
        from semver import Version

        try:
            return Version.parse(tag[len(self.prefix) : len(tag) - len(self.suffix) or None])
        except ValueError:
            return None

    def released(self, tags: Iterable[Tag]) -> list[Released]:
        """The versions among tags, in the order given."""
        from semver import Version

        found: list[Released] = []
        start, end = len(self.prefix), -len(self.suffix) or None
        for tag in tags:
            text = tag.name[start:end]
            # Most are plain numbers, and there are thousands: the library takes three times as long to read one.
            if (plain := _PLAIN.fullmatch(text)) and tag.name == f"{self.prefix}{text}{self.suffix}":
                version: Version | None = Version(int(plain[1]), int(plain[2]), int(plain[3]))
            else:
                version = self.version(tag.name)
            if version is not None:
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
