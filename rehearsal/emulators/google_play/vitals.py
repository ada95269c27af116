"""Android vitals: crash and ANR rates by day and version, as the Reporting API gives them.

They lag: only days that ended before the freshness can be asked for, a later end is refused (not cut off). Too few users
give no row. That there is such a floor is documented; how high it is, is not.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rehearsal.emulators.google.errors import GoogleError

ZONE = ZoneInfo("America/Los_Angeles")
"""Of days, the only one that the API knows for them."""
FEWEST_USERS = 50

_TERM = re.compile(r"\s*versionCode\s*=\s*\"?(\d+)\"?\s*")
_CONFIDENCE = 1.96
_MOST_ROWS = 10_000


class Day(NamedTuple):
    """What was seen of one version on one day: distinct users, and those of them who met a crash or an ANR."""

    date: str
    version_code: int
    users: int
    crashed: int
    unresponsive: int


@dataclass(kw_only=True)
class Vitals:
    """What Play collected about an app."""

    days: list[Day] = field(default_factory=list)

    def observe(self, day: Day) -> None:
        """Add a day of a version, in place of what was there."""
        self.days = [d for d in self.days if (d.date, d.version_code) != (day.date, day.version_code)]
        self.days.append(day)


@dataclass(frozen=True, kw_only=True)
class MetricSet:
    """A metric set of the API: the name of its rate, and which users count in it."""

    resource: str
    rate: str
    affected: Callable[[Day], int]

    @property
    def metrics(self) -> Mapping[str, int]:
        """Name of each rate -> over how many days it is averaged."""
        perceived = f"userPerceived{self.rate[0].upper()}{self.rate[1:]}"
        spans = {"": 1, "7dUserWeighted": 7, "28dUserWeighted": 28}
        return {name + suffix: span for name in (self.rate, perceived) for suffix, span in spans.items()}


CRASHES = MetricSet(resource="crashRateMetricSet", rate="crashRate", affected=lambda day: day.crashed)
ANRS = MetricSet(resource="anrRateMetricSet", rate="anrRate", affected=lambda day: day.unresponsive)


def date_of(moment: float) -> datetime.date:
    """The day that a moment (seconds since 1970) belongs to."""
    return datetime.datetime.fromtimestamp(moment, ZONE).date()


def described(package: str, metrics: MetricSet, fresh: datetime.date) -> dict[str, Any]:
    """The metric set itself, with its freshness: the end (exclusive) of the last day that can be asked for."""
    freshness = {"aggregationPeriod": "DAILY", "latestEndTime": _time(fresh)}
    return {"name": f"apps/{package}/{metrics.resource}", "freshnessInfo": {"freshnesses": [freshness]}}


def query(vitals: Vitals, metrics: MetricSet, asked: Mapping[str, Any], fresh: datetime.date) -> dict[str, Any]:
    """The answer to a `:query`. Raises GoogleError."""
    begins, ends = _timeline(asked.get("timelineSpec", {}), fresh)
    wanted = asked.get("metrics", [])
    by_version = asked.get("dimensions", []) == ["versionCode"]
    if (
        not wanted
        or not {*metrics.metrics, "distinctUsers"}.issuperset(wanted)
        or not (by_version or not asked.get("dimensions"))
    ):
        # googleapis/google-api-python-client#1761. Of the dimensions only the version is emulated.
        raise _invalid("The requested metrics, dimensions and aggregation_period cannot be used together.")
    chosen = _filtered(vitals.days, asked.get("filter", ""))
    rows = list(_rows(chosen, metrics, wanted, begins, ends, by_version=by_version))
    return _page(rows, asked)


def _page(rows: list[dict[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
    token = asked.get("pageToken", "0")
    start = int(token) if token.isdecimal() else 0
    end = start + min(asked.get("pageSize", 0) or 1000, _MOST_ROWS)
    answer: dict[str, Any] = {"rows": rows[start:end]} if rows[start:end] else {}
    return {**answer, "nextPageToken": str(end)} if end < len(rows) else answer


def _rows(
    days: list[Day],
    metrics: MetricSet,
    wanted: list[str],
    begins: datetime.date,
    ends: datetime.date,
    *,
    by_version: bool,
) -> Iterator[dict[str, Any]]:
    versions: Sequence[int | None] = sorted({day.version_code for day in days}) if by_version else [None]
    for number in range((ends - begins).days):
        date = begins + datetime.timedelta(days=number)
        for version in versions:
            same = [day for day in days if version in (None, day.version_code)]
            users = sum(day.users for day in same if day.date == date.isoformat())
            if users < FEWEST_USERS:
                continue
            row = {
                "aggregationPeriod": "DAILY",
                "startTime": _time(date),
                "metrics": [_metric(name, metrics, same, date) for name in wanted],
            }
            yield row if version is None else {**row, "dimensions": [_version(version)]}


def _metric(name: str, metrics: MetricSet, days: list[Day], date: datetime.date) -> dict[str, Any]:
    span = metrics.metrics.get(name, 1)
    first = (date - datetime.timedelta(days=span - 1)).isoformat()
    within = [day for day in days if first <= day.date <= date.isoformat()]
    users = sum(day.users for day in within)
    if name == "distinctUsers":
        return {"metric": name, "decimalValue": {"value": str(_rounded(users))}}
    rate = sum(metrics.affected(day) for day in within) / users
    error = _CONFIDENCE * (rate * (1 - rate) / users) ** 0.5
    bounds = {"lowerBound": _decimal(max(rate - error, 0)), "upperBound": _decimal(min(rate + error, 1))}
    return {"metric": name, "decimalValue": _decimal(rate), "decimalValueConfidenceInterval": bounds}


def _rounded(users: int) -> int:
    """Down to 10, 100, 1,000 or 1,000,000, "depending on the magnitude of the value"."""
    step = next(step for step, below in ((10, 10**3), (100, 10**5), (1000, 10**8), (10**6, 10**12)) if users < below)
    return round(users / step) * step


def _filtered(days: list[Day], expression: str) -> list[Day]:
    """`versionCode = 42`, also several with OR (AIP-160)."""
    if not expression.strip():
        return days
    terms = [_TERM.fullmatch(term) for term in re.split(r"\bOR\b", expression)]
    versions = {int(term[1]) for term in terms if term is not None}
    if None in terms:
        raise _invalid(f"Invalid filter: '{expression}'. Only versionCode can be filtered by here.")
    return [day for day in days if day.version_code in versions]


def _timeline(spec: Mapping[str, Any], fresh: datetime.date) -> tuple[datetime.date, datetime.date]:
    if spec.get("aggregationPeriod") != "DAILY":
        raise _invalid("timeline_spec.aggregation_period: only DAILY is supported here.")
    begins, ends = _date(spec, "startTime", fresh), _date(spec, "endTime", fresh)
    if begins >= ends:
        raise _invalid("timeline_spec.start_time field should be before timeline_spec.end_time.")
    if ends > fresh:
        # The words are as people quote them; the date's form is ours.
        raise _invalid(f"timeline_spec.end_time field should be before the current freshness {fresh.isoformat()}.")
    return begins, ends


def _date(spec: Mapping[str, Any], name: str, fresh: datetime.date) -> datetime.date:
    given = spec.get(name)
    if given is None:
        return fresh if name == "endTime" else fresh - datetime.timedelta(days=1)
    if any(given.get(unit) for unit in ("hours", "minutes", "seconds", "nanos")) or "utcOffset" in given:
        raise _invalid(f"timeline_spec.{name} must be the beginning of a day.")
    if given.get("timeZone", {}).get("id", ZONE.key) != ZONE.key:
        raise _invalid(f"timeline_spec.{name}: the only supported time zone is {ZONE.key}.")
    try:
        return datetime.date(given.get("year", 0), given.get("month", 0), given.get("day", 0))
    except ValueError as error:
        raise _invalid(f"timeline_spec.{name} is no date: {error}.") from error


def _time(date: datetime.date) -> dict[str, Any]:
    return {"year": date.year, "month": date.month, "day": date.day, "timeZone": {"id": ZONE.key}}


def _version(code: int) -> dict[str, Any]:
    return {"dimension": "versionCode", "int64Value": str(code)}


def _decimal(value: float) -> dict[str, str]:
    return {"value": f"{value:.6f}".rstrip("0").rstrip(".")}


def _invalid(message: str) -> GoogleError:
    return GoogleError("INVALID_ARGUMENT", message)
