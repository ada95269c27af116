"""Statistics of sessions (https://docs.sentry.io/api/releases/retrieve-release-health-session-statistics/).

Users, durations and statuses of sessions are not kept here, so what is asked about them is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams

from rehearsal.emulators.sentry import query
from rehearsal.emulators.sentry.errors import bad_request
from rehearsal.emulators.sentry.events import environments, period, projects
from rehearsal.emulators.sentry.state import Organization, Sessions

FIELDS = ("sum(session)", "crash_rate(session)", "crash_free_rate(session)")
GROUPS = ("project", "release", "environment")
_INTERVALS = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "12h": timedelta(hours=12), "1d": timedelta(days=1)}
_MOST_POINTS = 10_000


def answer(organization: Organization, params: QueryParams) -> dict[str, Any]:
    """Totals and a series for each group. Raises ApiError (400, 403, 404)."""
    fields, by = _known(params, "field", FIELDS), _known(params, "groupBy", GROUPS)
    if not fields:
        raise bad_request('Request is missing a "field"')
    terms = query.parse(params.get("query", ""))
    moments, step = _moments(params, organization)
    wanted, named = projects(organization, params), environments(organization, params)
    found = [
        each
        for each in organization.sessions
        if (wanted is None or each.project in wanted)
        and (not named or (each.environment or "") in named)
        and moments[0].timestamp() <= each.received < (moments[-1] + step).timestamp()
        and all(term.holds(_row(each)) for term in terms)
    ]
    groups: dict[tuple[Any, ...], list[Sessions]] = {} if by else {(): found}
    for each in found if by else ():
        groups.setdefault(tuple(_key(organization, each, name) for name in by), []).append(each)
    if len(groups) * (len(moments) + 1) > _MOST_POINTS:
        raise bad_request("Your interval and date range would create too many results.")
    return {
        "start": _written(moments[0]),
        "end": _written(moments[-1] + step),
        "query": params.get("query", ""),
        "intervals": [_written(each) for each in moments],
        "groups": [
            {
                "by": dict(zip(by, key, strict=True)),
                "totals": _totals(fields, members) if params.get("includeTotals") != "0" else {},
                "series": _series(fields, members, moments, step) if params.get("includeSeries") != "0" else {},
            }
            for key, members in groups.items()
        ],
    }


def _known(params: QueryParams, name: str, known: Sequence[str]) -> list[str]:
    asked = params.getlist(name)
    for each in asked:
        if each not in known:
            raise bad_request(f"Invalid {name}: {each!r}; this world knows {', '.join(known)}")
    return asked


def _row(sessions: Sessions) -> dict[str, Any]:
    return {"release": sessions.release, "environment": sessions.environment, "project": sessions.project}


def _key(organization: Organization, sessions: Sessions, name: str) -> Any:
    if name == "project":
        return int(organization.projects[sessions.project].id)
    return (sessions.release if name == "release" else sessions.environment) or ""


def _moments(params: QueryParams, organization: Organization) -> tuple[list[datetime], timedelta]:
    """Beginnings of the intervals, and how long each is: the period is rounded to them."""
    step = _INTERVALS.get(params.get("interval", "1h"))
    if step is None:
        raise bad_request("The interval has to be one that cleanly divides one day, of one hour at least.")
    begins, ends = (datetime.fromisoformat(each) for each in period(params, organization.clock()))
    seconds = step.total_seconds()
    first, last = begins.timestamp() // seconds, -(-ends.timestamp() // seconds)
    return [datetime.fromtimestamp(number * seconds, UTC) for number in range(int(first), int(last))], step


def _totals(fields: Sequence[str], sessions: Sequence[Sessions]) -> dict[str, float | None]:
    count, crashed = sum(each.total for each in sessions), sum(each.crashed for each in sessions)
    rate = min(crashed / count, 1.0) if count else None
    values: dict[str, float | None] = {
        "sum(session)": count,
        "crash_rate(session)": rate,
        "crash_free_rate(session)": None if rate is None else 1.0 - rate,
    }
    return {name: values[name] for name in fields}


def _series(
    fields: Sequence[str], sessions: Sequence[Sessions], moments: Sequence[datetime], step: timedelta
) -> dict[str, list[float | None]]:
    within = [
        _totals(fields, [s for s in sessions if each.timestamp() <= s.received < (each + step).timestamp()])
        for each in moments
    ]
    return {name: [each[name] for each in within] for name in fields}


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
