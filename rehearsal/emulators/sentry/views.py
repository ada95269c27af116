"""What a query of events sees: a row for each error, and one for each span of each transaction.

Measurements of mobile apps come to a row as Sentry's intake leaves them: a value beyond three minutes is dropped, and what newer SDKs
send as attributes of a start (`app.vitals.start.*`) is there as a measurement, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rehearsal.emulators.sentry.state import Event, Organization

Row = dict[str, Any]

LONGEST_START_MS = 180_000
DATASETS = ("errors", "spans")
_TYPES = {"is_transaction": "boolean", "span.duration": "duration", "project.id": "integer"}
_STARTS = ("app_start_cold", "app_start_warm")


def rows(organization: Organization, dataset: str) -> Iterator[Row]:
    """All rows of a dataset, in the order they arrived."""
    for event in organization.events:
        common = _common(organization, event)
        if dataset == "errors" and event.type == "error":
            yield common | _error(event)
        elif dataset == "spans" and event.type == "transaction":
            yield common | _root(event)
            for span in event.payload.get("spans") or ():
                yield common | _span(event, span)


def meta(fields: Sequence[str], dataset: str) -> dict[str, Any]:
    """Types and units of the fields, and what was looked at."""
    types = {name: _type(name) for name in fields}
    return {
        "fields": types,
        "units": {name: "millisecond" if kind == "duration" else None for name, kind in types.items()},
        "datasetReason": "unchanged",
        "isMetricsData": False,
        "isMetricsExtractedData": False,
        "tips": {},
        "dataset": dataset,
        "dataScanned": "full",
    }


def seconds(value: Any, otherwise: float) -> float:
    """A time as SDKs send it: seconds since 1970, or ISO 8601."""
    if isinstance(value, int | float):
        return float(value)
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return otherwise


def _type(name: str) -> str:
    if name.startswith("measurements."):
        return "duration"
    return _TYPES.get(name, "string")


def _common(organization: Organization, event: Event) -> Row:
    sdk = event.payload.get("sdk") or {}
    return {
        **_tags(event.payload.get("tags")),
        "project": event.project,
        "project.name": event.project,
        "project.id": int(organization.projects[event.project].id),
        "release": event.release,
        "environment": event.environment,
        "platform": event.payload.get("platform"),
        "sdk.name": sdk.get("name"),
        "sdk.version": sdk.get("version"),
    }


def _tags(tags: Any) -> Row:
    pairs = tags.items() if isinstance(tags, Mapping) else tags or ()
    return {str(key): value for key, value in pairs}


def _error(event: Event) -> Row:
    at = seconds(event.payload.get("timestamp"), event.received)
    return {"id": event.id, "title": event.title, "level": event.level, "timestamp": _shown(at)}


def _root(event: Event) -> Row:
    payload = event.payload
    contexts = payload.get("contexts") or {}
    span = {
        **(contexts.get("trace") or {}),
        "description": payload.get("transaction"),
        "start_timestamp": payload.get("start_timestamp"),
        "timestamp": payload.get("timestamp"),
    }
    row = _span(event, span) | {"is_transaction": True, "transaction.event_id": event.id}
    row |= {f"measurements.{name}": value for name, value in _measurements(payload, row)}
    start_type = (contexts.get("app") or {}).get("start_type")
    return row | ({"app_start_type": start_type} if start_type else {})


def _measurements(payload: Mapping[str, Any], attributes: Row) -> Iterator[tuple[str, float]]:
    found = {name: each.get("value") for name, each in (payload.get("measurements") or {}).items()}
    kind = attributes.get("app.vitals.start.type")
    if kind in ("cold", "warm"):
        found.setdefault(f"app_start_{kind}", attributes.get("app.vitals.start.value"))
    for name, value in found.items():
        if isinstance(value, int | float) and not (name in _STARTS and value > LONGEST_START_MS):
            yield name, float(value)


def _span(event: Event, span: Mapping[str, Any]) -> Row:
    began = seconds(span.get("start_timestamp"), event.received)
    ended = seconds(span.get("timestamp"), began)
    return {
        **(span.get("data") or {}),
        "id": span.get("span_id") or event.id[:16],
        "span_id": span.get("span_id") or event.id[:16],
        "parent_span": span.get("parent_span_id"),
        "trace": span.get("trace_id"),
        "transaction": event.payload.get("transaction"),
        "span.op": span.get("op"),
        "span.status": span.get("status"),
        "span.description": span.get("description"),
        "span.duration": (ended - began) * 1000,
        "is_transaction": False,
        "timestamp": _shown(began),
    }


def _shown(at: float) -> str:
    """Whole seconds, as Sentry keeps them."""
    return datetime.fromtimestamp(int(at), UTC).isoformat()
