"""What is live, by the providers, beside what the ledger says; the difference is drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines import ledger
from pipelines.history import History

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.ledger import Record
    from pipelines.roles import Deployed, Live

COLUMNS = (
    "environment",
    "component",
    "release",
    "traffic",
    "stable",
    "stops",
    "split",
    "since",
    "by",
    "approved",
    "run",
    "drift",
)


def status(context: Context) -> list[dict[str, Any]]:
    """One row for each deployment with traffic, and one for a component with none; empty texts for what is not known, or is not."""
    lives = context.lives()
    history = History(context).records() if context.github is not None else []
    found = [row for component, live in lives.items() for row in _rows(context.environment, component, live, history)]
    return [{**row, "split": _others(row, found)} for row in found]


def _rows(environment: str, component: str, live: Live, history: Sequence[Record]) -> list[dict[str, Any]]:
    base = {"environment": environment, "component": component, "url": live.url}
    if not live.serving():
        return [{**dict.fromkeys(COLUMNS, ""), **base}]
    return [{**base, **_row(component, deployed, live, history)} for deployed in live.serving()]


def _others(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """Which other components serve another release, as after a delivery that was killed between them: a release is one of all."""
    others = {
        each["component"]: each["release"]
        for each in rows
        if each["component"] != row["component"] and each["release"] != row["release"] and row["release"]
    }
    return ", ".join(f"{component} serves {release or 'nothing'}" for component, release in others.items())


def _row(component: str, deployed: Deployed, live: Live, history: Sequence[Record]) -> dict[str, Any]:
    identity = deployed.identity
    # By which run it came the provider says; the ledger only adds when that run ended well.
    record = ledger.last_of(history, component, identity.release) if identity else None
    ended = record.ended_well if record is not None else None
    return {
        "release": identity.release if identity else f"{deployed.key} (not ours)",
        "commit": identity.commit if identity else "",
        "digest": identity.digest if identity else "",
        "key": deployed.key,
        "traffic": f"{deployed.traffic} %",
        "stops": _stops(live),
        "stable": "yes" if deployed.key in live.marks.stable else "no",
        "since": ended.at if ended is not None else deployed.created,
        "by": (identity.by if identity else "") or (record.by if record else ""),
        "approved": identity.approved if identity else "",
        "run": (identity.run if identity else "") or (record.run if record else ""),
        "drift": _drift(component, deployed, live.marks.failed, history),
    }


def _stops(live: Live) -> str:
    """What keeps deliveries from going on here: who moves the traffic, that someone holds it, that it is frozen."""
    marks = live.marks
    values = {"frozen": marks.frozen, "held": marks.held, "locked": marks.lock.says if marks.lock else ""}
    return "; ".join(f"{what}: {why}" for what, why in values.items() if why)


def _drift(component: str, deployed: Deployed, failed: Mapping[str, str], history: Sequence[Record]) -> str:
    """How what is live differs from what the ledger, or our own marks, would have."""
    if deployed.identity is None:
        return "deployed by other means"
    if deployed.identity.release in failed:
        return f"is marked as failed: {failed[deployed.identity.release]}"
    if not history:
        return ""
    live = ledger.live(history, component)
    if live is None:
        return "the ledger knows of nothing live"
    if live.release != deployed.identity.release:
        return f"the ledger says {live.release}"
    if live.artifacts[component] != deployed.identity.digest:
        return "another digest than the ledger's"
    return ""
