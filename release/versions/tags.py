"""Versions as tags: how they are written, read and ordered. SemVer 2.0.0 by `semver`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pipelines.errors import InputError
from release.commits.history import Tag

if TYPE_CHECKING:
    from semver import Version

    from pipelines.manifest.release import Release


_PLAIN = r"(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})"
_LONGEST = 255
"""Characters of a tag: what is longer was not made by a release, and Python reads no number of thousands of digits."""
# Source: git-scm.com/docs/git-check-ref-format
_REFUSED = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|(?:^|/)\.|\.lock(?:/|$)|[/.]$")


Rank = tuple[int, int, int, int, tuple[tuple[int, int, str], ...]]
"""Sorts versions as SemVer does (rule 11): major, minor, patch, 1 for a final one, and the parts of a pre-release."""


class Released(NamedTuple):
    """A version that a tag gave."""

    tag: str
    commit: str
    text: str
    """The version as the tag has it."""
    rank: Rank
    final: bool
    """No pre-release."""

    @property
    def version(self) -> Version:
        """Read when it is asked for: there are thousands of tags, and their rank mostly suffices."""
        from semver import Version

        return Version.parse(self.text)

    @property
    def core(self) -> tuple[int, int, int]:
        """Major, minor and patch."""
        return self.rank[:3]


class TagFormat:
    """How versions are written as tags: `v{version}`.

    `others`: formats of other components. A tag that one of them reads more exactly is theirs: v1.0.0-mobile is no pre-release of
    `v{version}` beside `v{version}-mobile`.
    """

    def __init__(self, text: str, others: Iterable[str] = ()) -> None:
        if text.count("{version}") != 1 or _REFUSED.search(text.replace("{version}", "1.0.0")):
            raise InputError(
                f"the tag format {text!r} cannot be used",
                why="it needs {version} exactly once, and only what git allows in a tag",
                next_step="write it as 'v{version}', 'mobile-v{version}' or 'mobile@{version}'",
            )
        self.text = text
        self.prefix, _, self.suffix = text.partition("{version}")
        self._within = [
            TagFormat(other)
            for other in dict.fromkeys(others)
            if other != text and other.startswith(self.prefix) and other.endswith(self.suffix)
        ]

    def tag(self, version: Version | str) -> str:
        return f"{self.prefix}{version}{self.suffix}"

    def version(self, tag: str) -> Version | None:
        """The version in a tag, None when the tag is not of this format or holds no semantic version."""
        if len(tag) > _LONGEST or not tag.startswith(self.prefix) or not tag.endswith(self.suffix):
            return None
        if any(other.version(tag) is not None for other in self._within):
            return None
        from semver import Version

        try:
            return Version.parse(tag[len(self.prefix) : len(tag) - len(self.suffix) or None])
        except ValueError:
            return None

    def released(self, tags: Iterable[Tag]) -> list[Released]:
        """The versions among tags, in the order given."""
        found: list[Released] = []
        start, end = len(self.prefix), -len(self.suffix) or None
        plain = re.compile(f"{re.escape(self.prefix)}{_PLAIN}{re.escape(self.suffix)}").fullmatch
        for name, commit in tags:
            # Most are plain numbers, and there are thousands: the library takes many times as long to read one.
            if not self._within and (numbers := plain(name)):
                major, minor, patch = numbers.groups()
                rank = (int(major), int(minor), int(patch), 1, ())
                found.append(Released(name, commit, name[start:end], rank, True))
            elif (version := self.version(name)) is not None:
                found.append(Released(name, commit, name[start:end], key(version), not version.prerelease))
        return found

    def read(self, text: str) -> Version:
        """A version a person gave, with or without the tag's prefix. Raises InputError."""
        from semver import Version

        if (version := self.version(text)) is not None:
            return version
        try:
            return Version.parse(text if len(text) <= _LONGEST else "")
        except ValueError:
            raise InputError(
                f"{text[:_LONGEST]!r} is not a version",
                why=f"versions are written like 1.2.3 or 1.2.3-rc.1, and tagged as {self.text!r}",
                next_step="`shipmate release next` says which one comes next",
            ) from None


def format_of(release: Release, component: str, text: str = "") -> TagFormat:
    """How the tags of a component are written; `text` instead of what the manifest says. Raises InputError where two components
    write theirs the same: nobody could tell them apart."""
    chosen = text or release.components[component].tag_format
    others = [each.tag_format for name, each in release.components.items() if name != component]
    if chosen in others and not text:
        raise InputError(
            f"two release components write their tags as {chosen!r}",
            where=f"release/components/{component}/tag_format",
            next_step="give each its own, like 'v{version}' and 'mobile-v{version}'",
        )
    return TagFormat(chosen, others)


def key(version: Version) -> Rank:
    """The rank of a version; the library's own comparison costs microseconds each, and there are thousands."""
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
