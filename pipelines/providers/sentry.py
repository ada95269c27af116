"""Sentry: how long the starts of an app took, by what its SDK reported
(https://docs.sentry.io/api/explore/query-explore-events-in-table-format/, https://docs.sentry.io/api/pagination/).

A start is a transaction with the measurement `app_start_cold`, whichever way the SDK sends it: Sentry gives newer SDKs' attributes
the same name. Its rows carry whole seconds, so that the order of two starts of one second may differ between pages: a start that comes
twice counts once, and one may be missed, whatever it took.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.errors import ProviderError
from pipelines.http import Http
from pipelines.providers.sentry_api import SentryApi
from pipelines.roles import AppStart

if TYPE_CHECKING:
    from pipelines.manifest.performance import AppStarts

PER_PAGE = 100
"""Sentry gives no more rows in one answer."""
TOOK = "measurements.app_start_cold"
KIND = "app_start_type"
PREWARMED = "tags[app.vitals.start.prewarmed,boolean]"
FIELDS = ("id", "timestamp", "release", TOOK, KIND, PREWARMED)


class SentryStarts:
    """The starts of one project in one environment."""

    def __init__(self, source: AppStarts, http: Http, token: str) -> None:
        self._source = source
        self._api = SentryApi(source, http, token, environment=source.environment)

    def starts(self, *, since: datetime, until: datetime, most: int) -> list[AppStart]:
        """The newest first, all pages, no more than `most`; those that the app's sampling left out are not known here.

        Raises CredentialsError, ProviderError, ProviderUnavailable.
        """
        found: dict[str, AppStart] = {}
        for row in self._rows(since, until, math.ceil(most / PER_PAGE)):
            found.setdefault(str(row.get("id")), _start(row))
        return list(found.values())[:most]

    def _rows(self, since: datetime, until: datetime, pages: int) -> Iterator[Mapping[str, Any]]:
        """`until` is fixed: with a period that ends now, what is reported meanwhile would move rows from page to page."""
        asked = [
            ("dataset", "spans"),
            *(("field", field) for field in FIELDS),
            ("project", self._source.project),
            ("environment", self._source.environment),
            ("query", f"is_transaction:true has:{TOOK}"),
            ("sort", "-timestamp"),
            ("start", _written(since)),
            ("end", _written(until)),
            ("per_page", str(PER_PAGE)),
        ]
        for page in self._api.pages("events/", asked, most=pages):
            try:
                yield from page["data"]
            except (LookupError, TypeError) as error:
                raise self._api.unreadable(page, "rows") from error


def _start(row: Mapping[str, Any]) -> AppStart:
    try:
        took = row[TOOK]
        return AppStart(
            at=datetime.fromisoformat(str(row["timestamp"])),
            release=str(row["release"] or ""),
            milliseconds=math.nan if took is None else float(took),
            prewarmed=row.get(PREWARMED) is True or "prewarmed" in str(row.get(KIND) or ""),
        )
    except (LookupError, ValueError, TypeError) as error:
        raise ProviderError(
            f"a row of Sentry's answer cannot be read: {dict(row)!r}"[:300],
            where="Sentry",
            why=f"{type(error).__name__}: {error}",
            next_step="its interface may have changed: compare with pipelines/providers/sentry.py",
        ) from error


def _written(moment: datetime) -> str:
    """Without a zone, as Sentry's examples are; it reads them as UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
