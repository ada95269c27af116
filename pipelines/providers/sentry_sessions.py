"""Sentry: what share of a release's sessions ended without a crash
(https://docs.sentry.io/api/releases/retrieve-release-health-session-statistics/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.http import Http
from pipelines.providers.sentry_api import SentryApi, Source

COUNT = "sum(session)"
CRASH_FREE = "crash_free_rate(session)"


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Sessions of one release."""

    count: int
    crash_free_percent: float | None
    """None while there are none."""


class SentrySessions:
    """The sessions of one project in one environment."""

    def __init__(self, source: Source, http: Http, token: str, *, section: str) -> None:
        self._source = source
        self._api = SentryApi(source, http, token, section=section, environment=source.environment)

    def of(self, release: str, *, days: int) -> Sessions:
        """Those of a release, by its whole name, in the last `days`. Sentry counts them some minutes late.

        Raises CredentialsError, ProviderError, ProviderUnavailable.
        """
        asked = [
            ("field", COUNT),
            ("field", CRASH_FREE),
            ("project", self._source.project),
            ("environment", self._source.environment),
            ("groupBy", "release"),
            ("query", f'release:"{release}"'),
            ("statsPeriod", f"{days}d"),
            ("interval", "1d"),
            ("includeSeries", "0"),
        ]
        answer = self._api.call("GET", "sessions/", params=asked)
        try:
            groups: list[dict[str, Any]] = answer["groups"]
            totals: dict[str, Any] = next(
                (each["totals"] for each in groups if each["by"].get("release") == release), {}
            )
            count, rate = int(totals.get(COUNT) or 0), totals.get(CRASH_FREE)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._api.unreadable(answer, "groups of sessions") from error
        return Sessions(count=count, crash_free_percent=None if rate is None or not count else 100.0 * float(rate))
