"""What other deliveries did while a plan waited for its approval or its turn: it is rebased onto what they left, or superseded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.delivery import plan, preflight, traffic
from pipelines.delivery.steps.base import Base
from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.plan import Plan
    from pipelines.manifest import Manifest
    from pipelines.roles import Live


def higher_release(made: Plan, lives: Mapping[str, Live], manifest: Manifest) -> str:
    """The higher release that went live and proved good since, so that this one is superseded; empty when none did."""
    for each in made.facts:
        live = lives[each.component]
        stable = [live.find(key) for key in live.marks.stable]
        alone = [d.identity.release for d in stable if d is not None and d.traffic == 100 and d.identity is not None]
        higher = [release for release in alone if _higher(manifest, release, each.release)]
        if higher:
            return higher[0]
    return ""


def rebased(made: Plan, lives: Mapping[str, Live], manifest: Manifest) -> Plan:
    """The plan on the lower releases of its own line that went live and proved good since it was approved, by the same pipeline.

    Anything else that moved the traffic is left to the steps, which refuse it.
    """
    bases: dict[str, Base | None] = {}
    for each in made.facts:
        live = lives[each.component]
        found = _base(live, each.component, each.release, each.digest)
        planned = each.base
        if found is None or planned is None or found.key == planned.key or live.marks.epoch != each.epoch:
            continue
        proved = found.key in live.marks.stable and found.release not in live.marks.failed
        forward = _higher(manifest, found.release, planned.release) and _higher(manifest, each.release, found.release)
        if proved and forward and found.contracts >= planned.contracts:
            bases[each.component] = found
    return plan.onto(made, manifest, bases) if bases else made


def _base(live: Live, component: str, release: str, digest: str) -> Base | None:
    try:
        return traffic.base_for(live, component, release, digest)
    except ShipmateError:
        return None


def _higher(manifest: Manifest, release: str, other: str) -> bool:
    """Whether both are versions, and the first is the higher one."""
    try:
        return bool(preflight.version_of(manifest.release, release) > preflight.version_of(manifest.release, other))
    except ShipmateError:
        return False
