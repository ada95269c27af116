"""Sentry's interface: one question about an organization, and its refusals (https://docs.sentry.io/api/)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from pipelines.errors import CredentialsError, ProviderError
from pipelines.http import Http

if TYPE_CHECKING:
    import requests


class Source(Protocol):
    """A project in one environment, as a section of shipmate.yml names it."""

    @property
    def url(self) -> str: ...
    @property
    def organization(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def environment(self) -> str: ...


class SentryApi:
    """The organization that an app reports to, for a token with the scope org:read. `section` of shipmate.yml names it."""

    def __init__(self, source: Source, http: Http, token: str, *, section: str = "performance/app_starts") -> None:
        self._source = source
        self.section = section
        self._http = http
        self._token = token
        self._root = f"{source.url.rstrip('/')}/api/0/organizations/{source.organization}"

    def get(self, what: str, asked: list[tuple[str, str]]) -> requests.Response:
        """`what`: events, sessions. Raises CredentialsError, ProviderError, ProviderUnavailable."""
        url = f"{self._root}/{what}/"
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
            f"{url}?{urlencode(asked)}",
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
            allow_redirects=False,
        )
        if answer.status_code != 200:
            raise self._refusal(answer, url)
        return answer

    def _refusal(self, answer: requests.Response, url: str) -> ProviderError | CredentialsError:
        status, source = answer.status_code, self._source
        where, said = f"GET {url}", f"HTTP {status}: {_detail(answer)}"
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
                next_step=f"make a token of an internal integration with *Organization: Read*; see `{self.section}` in shipmate.yml",
            )
        if status == 404:
            return ProviderError(
                f"Sentry knows no organization {source.organization!r} here, or no environment {source.environment!r} ({said})",
                where=where,
                why="an environment exists from its first report on; an organization lives in one of Sentry's regions",
                next_step=f"see that the app reports with that environment; see `{self.section}` in shipmate.yml",
            )
        if 300 <= status < 400:
            return ProviderError(
                f"Sentry answers elsewhere ({said})",
                where=where,
                why=f"it says {answer.headers.get('location', 'nothing about where')}",
                next_step=f"write that host as `url` of `{self.section}` in shipmate.yml",
            )
        return ProviderError(
            f"Sentry refuses the question ({said})", where=where, next_step="read Sentry's words above"
        )

    def unreadable(self, answer: requests.Response, lacks: str) -> ProviderError:
        """The error for an answer without what was asked for."""
        return ProviderError(
            f"Sentry's answer has no {lacks}: {answer.text.strip()[:200]}",
            where=f"GET {answer.url.partition('?')[0]}",
            next_step=f"see that `url` of `{self.section}` in shipmate.yml is Sentry's",
        )


def _detail(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, LookupError, TypeError):
        return answer.text.strip()[:300]
