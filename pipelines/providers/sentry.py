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
from urllib.parse import urlencode

from pipelines.errors import CredentialsError, ProviderError
from pipelines.http import Http
from pipelines.roles import AppStart

if TYPE_CHECKING:
    import requests

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
        self._http = http
        self._token = token
        self._url = f"{source.url.rstrip('/')}/api/0/organizations/{source.organization}/events/"

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
        cursor = ""
        for _ in range(pages):
            answer = self._get([*asked, *([("cursor", cursor)] if cursor else [])])
            try:
                yield from answer.json()["data"]
            except (ValueError, LookupError, TypeError) as error:
                raise self._unreadable(answer) from error
            following = answer.links.get("next", {})
            if following.get("results") != "true" or not following.get("cursor"):
                return
            cursor = following["cursor"]

    def _get(self, asked: list[tuple[str, str]]) -> requests.Response:
        if not self._token:
            raise CredentialsError(
                "there is no Sentry token",
                where="Sentry",
                why="the secret SENTRY_READ_TOKEN does not exist in this environment, or is not passed to the step",
                next_step="make a token with the scope org:read, and add it under Settings → Environments → secrets",
            )
        # No redirect is followed: it would lead the token to another host.
        answer = self._http.request(
            "GET",
            f"{self._url}?{urlencode(asked)}",
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
            allow_redirects=False,
        )
        if answer.status_code != 200:
            raise self._refusal(answer)
        return answer

    def _refusal(self, answer: requests.Response) -> ProviderError | CredentialsError:
        status, source = answer.status_code, self._source
        where, said = f"GET {self._url}", f"HTTP {status}: {_detail(answer)}"
        if status == 401:
            return CredentialsError(
                f"Sentry does not accept the token ({said})",
                where=where,
                why="it is wrong, expired or revoked, or belongs to another of Sentry's regions",
                next_step="make a new one with the scope org:read, and replace the secret SENTRY_READ_TOKEN",
            )
        if status == 403:
            return CredentialsError(
                f"Sentry refuses ({said})",
                where=where,
                why="the token has no scope org:read (an organization's own tokens never have), or may not see a project "
                f"{source.project!r}",
                next_step="make a token of an internal integration with *Organization: Read*; see `performance/app_starts` in shipmate.yml",
            )
        if status == 404:
            return ProviderError(
                f"Sentry knows no organization {source.organization!r} here, or no environment {source.environment!r} ({said})",
                where=where,
                why="an environment exists from its first report on; an organization lives in one of Sentry's regions",
                next_step="see that the app reports with that environment; see `performance/app_starts` in shipmate.yml",
            )
        if 300 <= status < 400:
            return ProviderError(
                f"Sentry answers elsewhere ({said})",
                where=where,
                why=f"it says {answer.headers.get('location', 'nothing about where')}",
                next_step="write that host as `url` of `performance/app_starts` in shipmate.yml",
            )
        return ProviderError(
            f"Sentry refuses the question ({said})", where=where, next_step="read Sentry's words above"
        )

    def _unreadable(self, answer: requests.Response) -> ProviderError:
        return ProviderError(
            f"Sentry's answer has no rows: {answer.text.strip()[:200]}",
            where=f"GET {self._url}",
            next_step="see that `url` of `performance/app_starts` in shipmate.yml is Sentry's",
        )


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


def _detail(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, LookupError, TypeError):
        return answer.text.strip()[:300]
