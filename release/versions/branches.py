"""Branches that versions come from: maintenance lines, and channels of pre-releases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pipelines.errors import InputError
from release.versions.tags import Rank, Released, highest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from semver import Version

    from pipelines.manifest.release import Release

_CHANNEL = re.compile(r"[A-Za-z][0-9A-Za-z-]*")


class MaintenanceLine(NamedTuple):
    """A maintenance line: versions 1.x, or 1.2.x."""

    name: str
    major: int
    minor: int | None

    @property
    def first(self) -> Version:
        """The lowest version of the line."""
        from semver import Version

        return Version(self.major, self.minor or 0, 0)

    def holds(self, rank: Rank) -> bool:
        """Whether a version of this rank belongs on the line."""
        return rank[0] == self.major and (self.minor is None or rank[1] == self.minor)


def line_of_branch(branch: str | None, rules: Release) -> MaintenanceLine | None:
    """The maintenance line a branch stands for: release/1.x -> 1.x."""
    before, _, after = rules.maintenance.partition("{line}")
    pattern = re.escape(before) + r"(([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.[xX])?)" + re.escape(after)
    found = re.fullmatch(pattern, branch or "")
    if found is None:
        return None
    return MaintenanceLine(found[1], int(found[2]), int(found[3]) if found[3] else None)


def base_on(finals: Iterable[Released], line: MaintenanceLine | None) -> Released | None:
    """The highest of final releases below a commit, on its maintenance line if it is on one; where the line has none yet, that which it
    was cut from."""
    below = list(finals)
    own = highest(each for each in below if line is None or line.holds(each.rank))
    return own if own is not None or line is None else highest(below)


def branches_for(version: Version, rules: Release) -> list[str]:
    """The maintenance branches a version may come from, narrowest first."""
    lines = (
        f"{version.major}.{version.minor}.x",
        f"{version.major}.{version.minor}",
        f"{version.major}.x",
        f"{version.major}",
    )
    return [rules.maintenance.replace("{line}", line) for line in lines]


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
