"""Queries of events: what is asked for, looked at and answered in pages
(https://docs.sentry.io/api/explore/query-explore-events-in-table-format/, https://docs.sentry.io/api/pagination/)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from rehearsal.emulators.sentry import query, views
from rehearsal.emulators.sentry.errors import bad_request, forbidden, not_found
from rehearsal.emulators.sentry.state import Organization

MOST_FIELDS = 20
MOST_ROWS = 100
_LONGEST = timedelta(days=90)
_PERIOD = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CURSOR = re.compile(r"\d+:(\d+):[01]")
_FUNCTION = re.compile(r"(\w+)\(.*\)")


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some rows, and where others are."""

    body: dict[str, Any]
    link: str


def answer(organization: Organization, params: QueryParams, url: str) -> Page:
    """One page of what a query finds. `url`: without its query. Raises ApiError (400, 403, 404)."""
    fields, dataset = _fields(params), _dataset(params)
    size, offset = _size(params), _offset(params)
    key, descending = _order(params, fields)
    terms = query.parse(params.get("query", ""))
    since, until = period(params, organization.clock())
    wanted, named = projects(organization, params), environments(organization, params)
    found = [
        row
        for row in views.rows(organization, dataset)
        if since <= row["timestamp"] < until
        and (wanted is None or row["project"] in wanted)
        and (not named or (row["environment"] or "") in named)
        and all(term.holds(row) for term in terms)
    ]
    if key:
        found.sort(key=lambda row: _sortable(query.lookup(row, key)), reverse=descending)
    page = found[offset : offset + size]
    shown = list(dict.fromkeys([*fields, "id", "project.name"]))
    return Page(
        body={
            "data": [{name: query.lookup(row, name) for name in shown} for row in page],
            "meta": views.meta(shown, dataset),
        },
        link=_link(params, url, offset, size, more=len(found) > offset + size),
    )


def _fields(params: QueryParams) -> list[str]:
    fields = params.getlist("field")
    if not fields:
        raise bad_request("No columns selected")
    if len(fields) > MOST_FIELDS:
        raise bad_request(f"You can view up to {MOST_FIELDS} fields at a time. Please delete some and try again.")
    for field in fields:
        if _FUNCTION.fullmatch(field):
            raise bad_request(f"This world gives rows, and computes nothing of them: {field}")
        if len(field) > 200:
            raise bad_request(f"{field} is too long, can be a maximum of 200 characters")
    return fields


def _dataset(params: QueryParams) -> str:
    dataset = params.get("dataset", "")
    if dataset not in views.DATASETS:
        raise bad_request(f"dataset must be one of: {', '.join(views.DATASETS)}")
    return dataset


def _size(params: QueryParams) -> int:
    try:
        size = int(params.get("per_page", MOST_ROWS))
    except ValueError:
        raise bad_request("Invalid per_page parameter.") from None
    if not 1 <= size <= MOST_ROWS:
        raise bad_request(f"Invalid per_page value. Must be between 1 and {MOST_ROWS}.")
    return size


def _offset(params: QueryParams) -> int:
    written = params.get("cursor")
    if not written:
        return 0
    match = _CURSOR.fullmatch(written)
    if match is None:
        raise bad_request("Invalid cursor parameter.")
    return int(match[1])


def _order(params: QueryParams, fields: Sequence[str]) -> tuple[str, bool]:
    written = params.get("sort", "")
    key = written.removeprefix("-")
    if key and key not in fields:
        raise bad_request("orderby must also be in the selected columns or groupby")
    return key, written.startswith("-")


def _sortable(value: Any) -> tuple[int, Any]:
    """Rows without a value come before all others."""
    return (0, "") if value is None else (1, value)


def period(params: QueryParams, now: float) -> tuple[str, str]:
    """From and until when, as rows write times. Raises ApiError (400)."""
    end = datetime.fromtimestamp(now, UTC)
    start = end - _LONGEST
    if (written := params.get("statsPeriod")) is not None:
        match = _PERIOD.fullmatch(written)
        if match is None:
            raise bad_request(f"Invalid statsPeriod: '{written}'")
        start = end - timedelta(**{_UNITS[match[2]]: int(match[1])})
    elif params.get("start") or params.get("end"):
        if not (params.get("start") and params.get("end")):
            raise bad_request("start and end are both required")
        start, end = _moment(params["start"]), _moment(params["end"])
    if start >= end:
        raise bad_request("start must be before end")
    return start.isoformat(), end.isoformat()


def _moment(written: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise bad_request(f"{written} is not a valid ISO8601 date query") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def projects(organization: Organization, params: QueryParams) -> set[str] | None:
    """Slugs; None for all that the token may see."""
    wanted = params.getlist("project")
    if not wanted or wanted == ["-1"]:
        return None
    known = {project.id: project.slug for project in organization.projects.values()}
    known |= {slug: slug for slug in organization.projects}
    if any(each not in known for each in wanted):
        raise forbidden()
    return {known[each] for each in wanted}


def environments(organization: Organization, params: QueryParams) -> set[str]:
    """Names. An environment exists from the first report for it on; the empty name is that of reports without one."""
    wanted = set(params.getlist("environment"))
    known = {event.environment for event in organization.events} | {each.environment for each in organization.sessions}
    if not wanted <= {*known, ""}:
        raise not_found()
    return wanted


def _link(params: QueryParams, url: str, offset: int, size: int, *, more: bool) -> str:
    """Both directions are always there; `results` says whether there is anything."""
    kept = urlencode([(key, value) for key, value in params.multi_items() if key != "cursor"])

    def written(rel: str, cursor: str, results: bool) -> str:
        message = "true" if results else "false"
        return f'<{url}?{kept}&cursor={cursor}>; rel="{rel}"; results="{message}"; cursor="{cursor}"'

    before = written("previous", f"0:{max(0, offset - size)}:1", offset > 0)
    return f"{before}, {written('next', f'0:{offset + size}:0', more)}"
