"""Sentry: announce a release, with its commit, before anything reports of it
(https://docs.sentry.io/api/releases/create-a-new-release-for-an-organization/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.faults import once
from pipelines.providers.sentry_api import PUBLISHING, SentryApi

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.providers.sentry_api import Source


class SentryReleases:
    """The releases of one project, for a token with the scope org:ci or project:releases."""

    def __init__(self, source: Source, http: Http, token: str) -> None:
        self._source = source
        self._api = SentryApi(source, http, token, section="mobile/reports", rights=PUBLISHING)

    def announce(self, version: str, commit: str, *, url: str = "") -> None:
        """Make it; idempotent. Raises CredentialsError, ProviderError, ProviderUnavailable."""
        body = {"version": version, "projects": [self._source.project], "ref": commit, **({"url": url} if url else {})}

        def write() -> bool:
            # 208: it is there already.
            self._api.answer("POST", "releases/", body=body, ok=(200, 201, 208))
            return True

        once(write, lambda: None, policy=self._api.http.policy)
