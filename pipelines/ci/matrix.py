"""Which checks run for a change, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
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
    left_out: bool = False
    """It does not run only because this is a rehearsal."""


@dataclass(frozen=True, kw_only=True)
class Since:
    """Where a check last passed, and what has been affected since."""

    commit: str
    url: str
    """Of the run."""
    affected: Affected
    same: bool
    """Whether that was with the very files that are to be checked."""


@dataclass(frozen=True, kw_only=True)
class Below:
    """What is known of the commits below a change."""

    since: Mapping[str, Since]
    """By check; one that is missing passed nowhere that is known."""
    unknown: str = ""
    """Why nothing is known, when that is so."""
    base: str = ""
    """The branch a pull request or merge group goes to; empty for a push."""


def plan(
    manifest: Manifest, own: Affected | None, below: Below | None = None, *, rehearsal: bool = False
) -> tuple[Planned, ...]:
    """Every check of the manifest, in its order.

    `own` is what the change itself affects, None for a push, which is judged by `below` alone. Without `below` only `own` counts:
    that is for a terminal, where nothing is merged.
    """
    return tuple(
        _left_out(name, check.not_rehearsed)
        if rehearsal and check.not_rehearsed
        else _planned(name, check.components, own or Affected(reasons={}), below)
        for name, check in manifest.ci.checks.items()
    )


def _left_out(name: str, why: str) -> Planned:
    """Whatever changed: where it never runs, nothing could say that it passed below."""
    return Planned(check=name, runs=False, left_out=True, why=f"a rehearsal does not run it: {why}")


def _planned(name: str, components: tuple[str, ...], own: Affected, below: Below | None) -> Planned:
    if why := _hit(components, own):
        return Planned(check=name, runs=True, why=why)
    if below is None:
        return Planned(check=name, runs=False, why=_untouched(components))
    since = below.since.get(name)
    if since is None:
        return Planned(check=name, runs=True, why=_not_green(name, below, "it passed on no commit below that CI knows"))
    if why := _hit(components, since.affected):
        return Planned(check=name, runs=True, why=_not_green(name, below, f"{why} since {since.commit[:7]}"))
    if since.same:
        return Planned(check=name, runs=False, why=f"these very files passed in {since.url}")
    return Planned(check=name, runs=False, why=f"{_untouched(components)} since {since.commit[:7]}, where it passed")


def _hit(components: tuple[str, ...], affected: Affected) -> str:
    """Why one of the components is affected; empty when none is."""
    if affected.everything:
        return affected.everything
    hit = next((component for component in components if component in affected), None)
    return f"{hit}: {affected.reasons[hit]}" if hit else ""


def _not_green(name: str, below: Below, why: str) -> str:
    """Why a check runs that the change itself does not ask for."""
    message = below.unknown or why
    return f"{name} is not green on {below.base}: {message}" if below.base else message


def _untouched(components: tuple[str, ...]) -> str:
    listed = " or ".join(filter(None, [", ".join(components[:-1]), components[-1]]))
    return f"nothing that {listed} depends on changed"
