"""What a candidate and what is live are asked to be compared: the journeys of a component, each side at an address of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.checks.comparison import PairedWatch
    from pipelines.delivery.context import Context
    from pipelines.manifest.model import Environment, Journey, Manifest, Smoke

LOOK_SECONDS = 2.0
"""The provider is asked no more often than this, in real seconds, however fast the clock is."""


def declared(manifest: Manifest, environment: str, component: str) -> dict[str, Journey]:
    """The journeys of a component; where it has none, its smoke checks but for those that only one release can meet."""
    found = {name: journey for name, journey in manifest.journeys.items() if journey.component == component}
    checks = manifest.environments[environment].smoke
    return found or {each.name: _journey(each) for each in checks if each.component == component and _of_any(each)}


def paired_watch(
    context: Context, component: str, *, candidate: str, live: str, parts: int, title: str
) -> PairedWatch | None:
    """The watch of two deployments, given by their keys; None where nothing is declared that could be asked."""
    from pipelines.checks.comparison import Address, PairedWatch, paired
    from pipelines.delivery.probes import probe_headers

    journeys = declared(context.manifest, context.environment, component)
    if not journeys:
        return None
    host = context.host(component)
    headers = {**host.headers(), **probe_headers(context, component)}
    sides = [Address(url=host.address(key), headers=headers) for key in (candidate, live)]
    watch = PairedWatch(
        title=title,
        journeys=paired(journeys, context.http, *sides),
        watch=context.settings.watch,
        parts=parts,
        clock=context.clock,
    )
    context.watches.append(watch.record)
    return watch


def cost(settings: Environment, watch_seconds: float, parts: int) -> str:
    """What one comparison takes, in words."""
    from pipelines.checks import comparison

    return comparison.cost(settings.watch, (100,), watch_seconds, max(parts, 1)).says


def throttled(look: Callable[[], None]) -> Callable[[], None]:
    """The same look, left out while the last one is not LOOK_SECONDS ago."""
    last = time.monotonic()

    def between() -> None:
        nonlocal last
        if time.monotonic() - last >= LOOK_SECONDS:
            look()
            last = time.monotonic()

    return between


def _of_any(check: Smoke) -> bool:
    """Whether another release than the candidate can meet a check, too."""
    return not any("{" in value for value in (*check.json.values(), *check.contains))


def _journey(check: Smoke) -> Journey:
    from pipelines.manifest.model import Journey, JourneyRequest, Request

    request = JourneyRequest(**{each.name: getattr(check, each.name) for each in fields(Request)})
    return Journey(component=check.component, requests=(request,))
