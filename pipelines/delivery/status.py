"""What is live, by the providers, beside what the ledger says; the difference is drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.context import Delivery
    from pipelines.delivery.ledger import Record
    from pipelines.roles import Deployed, Live


def status(delivery: Delivery) -> list[dict[str, Any]]:
    """One row for each deployment with traffic, and one for a component with none."""
    lives = delivery.lives()
    history = _history(delivery)
    return [row for component, live in lives.items() for row in _rows(delivery.environment, component, live, history)]


def _history(delivery: Delivery) -> list[Record] | None:
    """The ledger, None while it cannot be read: then nothing is said of it."""
    if delivery.github is None:
        return None
    try:
        return delivery.ledger.records(delivery.environment)
    except ShipmateError as error:
        delivery.runtime.annotate("warning", f"the ledger cannot be read: {error.what}")
        return None


def _rows(environment: str, component: str, live: Live, history: list[Record] | None) -> list[dict[str, Any]]:
    base = {"environment": environment, "component": component, "url": live.url}
    serving = live.serving()
    if not serving:
        return [
            {
                **base,
                "release": "nothing",
                "traffic": "",
                "since": "",
                "by": "",
                "approved": "",
                "said": "",
                "run": "",
                "drift": "",
            }
        ]
    return [{**base, **_row(component, deployed, history)} for deployed in serving]


def _row(component: str, deployed: Deployed, history: list[Record] | None) -> dict[str, Any]:
    identity = deployed.identity
    release = identity.release if identity else f"{deployed.key} (not ours)"
    same = [r for r in history or [] if identity and r.release == identity.release]
    records = [r for r in same if component in r.artifacts]
    # A later run of the same release may be waiting, or may have failed: what is live came by one that went out.
    record = next((r for r in records if r.went_out), next(iter(records), None))
    since = (
        next((event.at for event in record.events if event.state == "success"), record.at)
        if record
        else deployed.created
    )
    return {
        "release": release,
        "commit": identity.commit if identity else "",
        "digest": identity.digest if identity else "",
        "key": deployed.key,
        "traffic": f"{deployed.traffic} %",
        "since": since,
        "by": record.by if record else "",
        "approved": record.approved if record else "",
        "said": record.said if record else "",
        "run": (record.run if record else "") or (identity.run if identity else ""),
        "drift": _drift(component, deployed, history),
    }


def _drift(component: str, deployed: Deployed, history: list[Record] | None) -> str:
    """How the provider differs from what the ledger holds as live."""
    if history is None:
        return ""
    if deployed.identity is None:
        return "deployed by other means"
    live = next((record for record in history if record.state == "success" and component in record.artifacts), None)
    if live is None:
        return "the ledger knows of nothing live"
    if live.release != deployed.identity.release:
        return f"the ledger says {live.release}"
    if live.artifacts[component] != deployed.identity.digest:
        return "another digest than the ledger's"
    return ""
