"""What speaks against a version that a person chose: warnings, for the choice is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.manifest.release import Bump, Release
from release.versions.numbers import RANK, raised
from release.versions.tags import Released, TagFormat, key
from release.versions.verdicts import Verdict

if TYPE_CHECKING:
    from semver import Version


def version_warnings(
    version: Version, previous: Released | None, verdicts: Sequence[Verdict], tag_format: TagFormat, rules: Release
) -> list[str]:
    """Why this is not the version that the commits since `previous` make: it raises less than they do, or skips numbers."""
    if previous is None:
        return []
    if not previous.final:
        return _of_prerelease(version, previous, tag_format)
    core = version.finalize_version()
    bump: Bump = max((verdict.bump for verdict in verdicts), key=RANK.__getitem__, default="none")
    due = raised(previous.version, bump, rules) if bump != "none" else None
    if due is not None and key(core) < key(due):
        return [
            f"{tag_format.tag(version)} raises less than its commits do: {_culprit(verdicts, bump)} raises {bump}, "
            f"which makes {tag_format.tag(due)} after {previous.tag}"
        ]
    base = previous.version
    if key(core) > key(base) and core not in (base.bump_major(), base.bump_minor(), base.bump_patch()):
        usual = tag_format.tag(due if due is not None else base.bump_patch())
        return [f"{tag_format.tag(version)} skips numbers: {usual} would come after {previous.tag}"]
    return []


def _of_prerelease(version: Version, previous: Released, tag_format: TagFormat) -> list[str]:
    """A pre-release after another: numbers of one version and channel follow each other."""
    old, new = (str(each.prerelease or "").partition(".") for each in (previous.version, version))
    same = previous.version.finalize_version() == version.finalize_version() and old[0] == new[0]
    if not same or not (old[2].isdigit() and new[2].isdigit()) or int(new[2]) <= int(old[2]) + 1:
        return []
    usual = tag_format.tag(version.replace(prerelease=f"{old[0]}.{int(old[2]) + 1}"))
    return [f"{tag_format.tag(version)} skips numbers: {usual} would come after {previous.tag}"]


def _culprit(verdicts: Sequence[Verdict], bump: Bump) -> str:
    first = next(verdict for verdict in reversed(verdicts) if verdict.bump == bump)
    return f"{first.commit.short} {first.commit.message.subject!r}"
