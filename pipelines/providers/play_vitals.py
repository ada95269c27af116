"""Google Play's vitals: how many of a version's users met a crash
(https://developers.google.com/play/developer/reporting/reference/rest/v1beta1/vitals.crashrate).

Only days that are complete can be asked for, which is days late; where there were too few users, there is no row.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.errors import ProviderError
from pipelines.http import Http
from pipelines.providers.google_api import GoogleApi

ROOT = "https://playdeveloperreporting.googleapis.com/v1beta1"
SCOPE = "https://www.googleapis.com/auth/playdeveloperreporting"
RATE = "userPerceivedCrashRate"
"""The one by which Google itself judges an app."""
DAYS = 3
"""So many of the last days are asked for; the newest that has a row counts."""


@dataclass(frozen=True, kw_only=True)
class CrashRate:
    """Of one version on one day."""

    date: str
    """The day as Play counts it, ISO 8601."""
    percent: float
    """Of its users who met a crash while they saw the app."""


class Vitals:
    """The vitals of one app. `token` gives an access token with `SCOPE`."""

    def __init__(self, http: Http, token: Callable[[], str], package: str) -> None:
        self._api = GoogleApi(http, token, ROOT)
        self._set = f"apps/{package}/crashRateMetricSet"

    def crash_rate(self, number: int) -> CrashRate | None:
        """The newest that Play tells of a version, by its build number; None where it tells nothing.

        Raises CredentialsError, ProviderError, ProviderUnavailable.
        """
        end = self._fresh()
        if end is None:
            return None
        asked = {
            "timelineSpec": {
                "aggregationPeriod": "DAILY",
                "startTime": _time(end - datetime.timedelta(days=DAYS)),
                "endTime": _time(end),
            },
            "dimensions": ["versionCode"],
            "metrics": [RATE],
            "filter": f"versionCode = {number}",
        }
        rows = self._api.call("POST", f"{self._set}:query", body=asked).get("rows", [])
        return max((_rate(row) for row in rows), key=lambda rate: rate.date, default=None)

    def _fresh(self) -> datetime.date | None:
        """Until when (exclusive) there are days to ask for: a later end is refused."""
        answer = self._api.call("GET", self._set).get("freshnessInfo", {}).get("freshnesses", [])
        daily = (each["latestEndTime"] for each in answer if each.get("aggregationPeriod") == "DAILY")
        return next((_date(each) for each in daily), None)


def _rate(row: dict[str, Any]) -> CrashRate:
    try:
        value = next(each["decimalValue"]["value"] for each in row["metrics"] if each["metric"] == RATE)
        return CrashRate(date=_date(row["startTime"]).isoformat(), percent=100.0 * float(value))
    except (LookupError, ValueError, TypeError, StopIteration) as error:
        raise ProviderError(
            f"a row of Play's vitals cannot be read: {row!r}"[:300],
            where="Google Play, vitals",
            next_step="its interface may have changed: compare with pipelines/providers/play_vitals.py",
        ) from error


def _date(entry: dict[str, Any]) -> datetime.date:
    return datetime.date(int(entry["year"]), int(entry["month"]), int(entry["day"]))


def _time(date: datetime.date) -> dict[str, Any]:
    return {"year": date.year, "month": date.month, "day": date.day, "timeZone": {"id": "America/Los_Angeles"}}
