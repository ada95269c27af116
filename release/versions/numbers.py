"""Numbers: which one comes after another, and which is the latest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from release.versions.tags import Released, key

if TYPE_CHECKING:
    from semver import Version

    from pipelines.manifest.release import Bump, Release

RANK: dict[str, int] = {"none": 0, "patch": 1, "minor": 2, "major": 3}


def raised(current: Version, bump: Bump, rules: Release) -> Version:
    """The version after `current`; before 1.0.0 as the rules say."""
    if current.major == 0:
        bump = {"major": rules.zero_breaking, "minor": rules.zero_feature}.get(bump, bump)
    base = current.finalize_version()
    if bump == "major":
        return base.bump_major()
    return base.bump_minor() if bump == "minor" else base.bump_patch()


def numbered(core: Version, channel: str, existing: Sequence[Released]) -> Version:
    """The next pre-release of `core` on a channel: one more than the highest number among all tags, reachable or not."""
    numbers = key(core)[:3]
    taken = [
        int(number)
        for each in existing
        if not each.final and each.core == numbers
        for name, _, number in [(each.version.prerelease or "").partition(".")]
        if name == channel and number.isdigit()
    ]
    return core.replace(prerelease=f"{channel}.{max(taken, default=0) + 1}")


def is_latest(version: Version, released: Iterable[Released]) -> bool:
    """Whether a version outranks every final release: only such a one is GitHub's `latest`."""
    rank = key(version)
    return not version.prerelease and all(rank >= each.rank for each in released if each.final)
