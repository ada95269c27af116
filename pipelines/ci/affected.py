"""Which components a change affects, and why. Pure; where it cannot tell, everything is affected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.ci.globs import matches

if TYPE_CHECKING:
    from pipelines.manifest.model import Manifest


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The files that differ; `paths` is None when that cannot be determined, and `unknown` says why."""

    paths: tuple[str, ...] | None
    since: str = ""
    """What they are compared with, in words."""
    unknown: str = ""


@dataclass(frozen=True, kw_only=True)
class Affected:
    """Why each affected component is. A component that is not in `reasons` is not affected."""

    reasons: Mapping[str, str]
    everything: str = ""
    """Why nothing could be left out, when that is so."""
    ignored: tuple[str, ...] = ()
    """Changed files that affect nothing, by the manifest."""

    def __contains__(self, component: str) -> bool:
        return component in self.reasons


def affected(manifest: Manifest, changes: Changes) -> Affected:
    """The components a change affects: by their paths, by what they depend on; all of them for a file nobody claims."""
    if changes.paths is None:
        return _everything(manifest, changes.unknown or "what changed is not known")
    ignored = tuple(path for path in changes.paths if _is_ignored(manifest, path))
    counted = [path for path in changes.paths if path not in set(ignored)]
    for path in counted:
        if matches(path, manifest.ci.always):
            return _everything(manifest, f"{shown(path)} counts for everything")
        if not any(matches(path, component.paths) for component in manifest.components.values()):
            return _everything(manifest, f"{shown(path)} belongs to no component")
    direct = {
        name: _because(touched)
        for name, component in manifest.components.items()
        if (touched := [path for path in counted if matches(path, component.paths)])
    }
    return Affected(reasons=_spread(manifest, direct), ignored=ignored)


def _is_ignored(manifest: Manifest, path: str) -> bool:
    return matches(path, manifest.ci.ignore) and not matches(path, manifest.ci.always)


def _everything(manifest: Manifest, why: str) -> Affected:
    return Affected(reasons=dict.fromkeys(manifest.components, why), everything=why)


def _because(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{shown(paths[0])}{more} changed"


def shown(path: str) -> str:
    """A file name for people: on one line, whatever bytes it is made of."""
    return path if path.isprintable() else ascii(path)


def _spread(manifest: Manifest, direct: Mapping[str, str]) -> dict[str, str]:
    """Add what depends on the affected, directly or through others; each component is added once, so cycles end."""
    reasons = dict(direct)
    for _ in manifest.components:
        for name, component in manifest.components.items():
            through = next((other for other in component.depends_on if other in reasons), None)
            if name not in reasons and through is not None:
                reasons[name] = f"depends on {through}"
    return reasons
