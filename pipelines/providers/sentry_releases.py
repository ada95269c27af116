"""Sentry: announce a release, with its commit, before anything reports of it
(https://docs.sentry.io/api/releases/create-a-new-release-for-an-organization/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError
from pipelines.faults import once
from pipelines.http import Http, refused

if TYPE_CHECKING:
    from pipelines.providers.sentry_api import Source


class SentryReleases:
    """The releases of one project, for a token with the scope org:ci or project:releases."""

    def __init__(self, source: Source, http: Http, token: str) -> None:
        self._source = source
        self._http = http
        self._token = token
        self._url = f"{source.url.rstrip('/')}/api/0/organizations/{source.organization}/releases/"

    def announce(self, version: str, commit: str, *, url: str = "") -> None:
        """Make it; said twice it is the same. Raises CredentialsError, ProviderError, ProviderUnavailable."""
        once(lambda: self._announce(version, commit, url), lambda: None, policy=self._http.policy)

    def _announce(self, version: str, commit: str, url: str) -> None:
        body = {"version": version, "projects": [self._source.project], "ref": commit}
        # No redirect is followed: it would lead the token to another host.
        answer = self._http.request(
            "POST",
            self._url,
            json=body | ({"url": url} if url else {}),
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
            allow_redirects=False,
        )
        if answer.status_code == 403:
            raise CredentialsError(
                f"Sentry refuses ({answer.text.strip()[:200]})",
                where=f"POST {self._url}",
                why="the token has neither the scope org:ci nor project:releases",
                next_step="Sentry → Settings → Auth Tokens → a token of the organization; export it as SENTRY_AUTH_TOKEN",
            )
        # 208: it is there already.
        if answer.status_code not in (200, 201, 208):
            raise refused("POST", self._url, answer)
