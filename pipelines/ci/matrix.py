"""Which checks run for a change, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.ci.affected import Affected

if TYPE_CHECKING:
    from pipelines.manifest.model import Manifest


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One check of the manifest: whether it runs, and why (not)."""

    check: str
    runs: bool
    why: str


def plan(manifest: Manifest, affected: Affected, *, earlier: str = "") -> tuple[Planned, ...]:
    """Every check of the manifest, in its order. `earlier` is the run in which this very commit passed, if there is one."""
    if earlier:
        why = f"this very commit passed in {earlier}"
        return tuple(Planned(check=name, runs=False, why=why) for name in manifest.ci.checks)
    return tuple(_planned(name, check.components, affected) for name, check in manifest.ci.checks.items())


def _planned(name: str, components: tuple[str, ...], affected: Affected) -> Planned:
    if affected.everything:
        return Planned(check=name, runs=True, why=affected.everything)
    hit = [component for component in components if component in affected]
    if hit:
        return Planned(check=name, runs=True, why=f"{hit[0]}: {affected.reasons[hit[0]]}")
    listed = " or ".join(filter(None, [", ".join(components[:-1]), components[-1]]))
    return Planned(check=name, runs=False, why=f"nothing that {listed} depends on changed")
