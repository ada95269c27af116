"""HTTP of counts: errors and sessions, by release and environment (https://docs.sentry.io/api/explore/).

There is no lag: what an SDK sent is counted at once. The real service takes a while.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.sentry.access import Access, Refused
from rehearsal.emulators.sentry.state import Event, Organization, Sessions, terms

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ALIASES = {"event.type": "type"}
_GROUPS = ("release", "environment", "project")


class StatisticsApi:
    """`/api/0/organizations/{organization}/{sessions,events,events-timeseries}/` and a project's events."""

    def __init__(self, organization: Organization, access: Access) -> None:
        self._organization = organization
        self._access = access

    async def sessions(self, request: Request) -> Response:
        """GET …/sessions/?field=sum(session)&field=crash_free_rate(session)&groupBy=release&statsPeriod=1h&query="""
        self._access.require(request)
        query = request.query_params
        fields = query.getlist("field")
        known = ("sum(session)", "crash_free_rate(session)", "crash_rate(session)")
        if not fields or not set(fields) <= set(known):
            raise Refused(400, {"detail": f"field: one or more of {', '.join(known)}"})
        groups = query.getlist("groupBy")
        if not set(groups) <= set(_GROUPS):
            raise Refused(400, {"detail": f"groupBy: {', '.join(_GROUPS)}"})
        chosen = [s for s in self._organization.sessions if self._is_asked(s, request)]
        keys = {tuple(getattr(s, name) for name in groups) for s in chosen}
        answer = [
            {
                "by": dict(zip(groups, key, strict=True)),
                "totals": _totals([s for s in chosen if tuple(getattr(s, n) for n in groups) == key], fields),
                "series": {},
            }
            for key in sorted(keys, key=str)
        ]
        return JSONResponse({"groups": answer, "intervals": [], "query": query.get("query", "")})

    async def events(self, request: Request) -> Response:
        """GET …/events/?dataset=errors&field=count()&field=release&query=&statsPeriod="""
        self._access.require(request)
        fields = request.query_params.getlist("field")
        if not request.query_params.get("dataset") or not fields:
            raise Refused(400, {"detail": "dataset and field are required"})
        plain = [field for field in fields if field != "count()"]
        rows = Counter(tuple(_value(event, field) for field in plain) for event in self._chosen_events(request))
        if not plain and not rows:
            rows[()] = 0
        data = [
            {**dict(zip(plain, key, strict=True)), **({"count()": count} if "count()" in fields else {})}
            for key, count in rows.most_common()
        ]
        kinds = {field: "integer" if field == "count()" else "string" for field in fields}
        return JSONResponse({"data": data, "meta": {"fields": kinds, "units": dict.fromkeys(fields)}})

    async def timeseries(self, request: Request) -> Response:
        """GET …/events-timeseries/?dataset=errors&yAxis=count()&query=&interval=5m&statsPeriod=1h"""
        self._access.require(request)
        if request.query_params.get("yAxis", "count()") != "count()":
            raise Refused(400, {"detail": "yAxis: count()"})
        step = _seconds(request.query_params.get("interval", "5m"))
        end = int(self._organization.clock() // step + 1) * step
        begin = end - max(_seconds(request.query_params.get("statsPeriod", "24h")), step)
        counts = Counter(int(e.received // step) * step for e in self._chosen_events(request))
        values = [{"timestamp": at * 1000, "value": counts[at]} for at in range(begin - begin % step, end, step)]
        series = {"yAxis": "count()", "values": values, "meta": {"valueType": "integer", "interval": step * 1000}}
        return JSONResponse({"timeSeries": [series], "meta": {"dataset": request.query_params.get("dataset")}})

    async def project_events(self, request: Request) -> Response:
        """GET /api/0/projects/{organization}/{project}/events/"""
        self._access.require(request)
        own = [e for e in self._organization.events if e.project == request.path_params["project"]]
        return JSONResponse([_event_json(event) for event in reversed(own)])

    async def project_event(self, request: Request) -> Response:
        """GET /api/0/projects/{organization}/{project}/events/{id}/"""
        self._access.require(request)
        for event in self._organization.events:
            if event.project == request.path_params["project"] and event.id == request.path_params["id"]:
                return JSONResponse({**_event_json(event), "context": event.payload})
        raise Refused(404, {"detail": "Event not found"})

    def _chosen_events(self, request: Request) -> list[Event]:
        kind = "transaction" if request.query_params.get("dataset") in ("transactions", "spans") else "error"
        return [e for e in self._organization.events if e.type == kind and self._is_asked(e, request)]

    def _is_asked(self, thing: Event | Sessions, request: Request) -> bool:
        query = request.query_params
        since = self._organization.clock() - _seconds(query.get("statsPeriod", "90d"))
        projects = [p for p in query.getlist("project") if p not in ("-1", "")]
        ids = {self._organization.projects[thing.project].id, thing.project}
        environments = query.getlist("environment")
        wanted = terms(query.get("query", ""))
        return (
            thing.received >= since
            and (not projects or bool(ids & set(projects)))
            and (not environments or thing.environment in environments)
            and all(_value(thing, name) == value for name, value in wanted.items())
        )


def _value(thing: Event | Sessions, name: str) -> Any:
    """A property by its name in queries; None for one the thing has not."""
    return getattr(thing, _ALIASES.get(name, name), None)


def _totals(sessions: Iterable[Sessions], fields: list[str]) -> dict[str, float | None]:
    counted = list(sessions)
    total = sum(s.total for s in counted)
    crashed = sum(s.crashed for s in counted)
    rate = crashed / total if total else None
    values = {
        "sum(session)": total,
        "crash_rate(session)": rate,
        "crash_free_rate(session)": None if rate is None else 1 - rate,
    }
    return {field: values[field] for field in fields}


def _seconds(period: str) -> int:
    match = re.fullmatch(r"(\d+)([smhdw])", period)
    if match is None:
        raise Refused(400, {"detail": f"{period!r} is no period: a number and one of s, m, h, d, w"})
    return int(match[1]) * _UNITS[match[2]]


def _event_json(event: Event) -> dict[str, Any]:
    tags = {"release": event.release, "environment": event.environment, "level": event.level}
    return {
        "id": event.id,
        "eventID": event.id,
        "title": event.title,
        "event.type": event.type,
        "dateReceived": event.received,
        "tags": [{"key": key, "value": value} for key, value in tags.items() if value],
    }
