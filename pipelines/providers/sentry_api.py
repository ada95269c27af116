"""Sentry's REST API for one organization: its refusals, and pages by the header Link (docs.sentry.io/api)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.errors import CredentialsError, ProviderError, ShipmateError
from pipelines.manifest.error_tracker import Project
from pipelines.providers.api import Api, Query, body_text, given

if TYPE_CHECKING:
    import requests

    from pipelines.http import Http


class Source(Project, Protocol):
    """A project in one environment, as a section of shipmate.yml names it."""

    @property
    def environment(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What a token may do, and where one is made."""

    secret: str
    """The name of the secret that holds it."""
    lacking: str
    """What is wrong with one that is refused."""
    made: str
    """How a right one is made."""


READING = Rights(
    secret="SENTRY_READ_TOKEN",  # noqa: S106 - the name of a secret, not one
    lacking="the token has no scope org:read (an organization's own tokens never have)",
    made="make a token of an internal integration with *Organization: Read*",
)
PUBLISHING = Rights(
    secret="SENTRY_AUTH_TOKEN",  # noqa: S106 - the name of a secret, not one
    lacking="the token has neither the scope org:ci nor project:releases",
    made="make a token of the organization: Sentry → Settings → Auth Tokens",
)


class SentryApi(Api):
    """The organization that an app reports to. `section` of shipmate.yml names it."""

    provider = "Sentry"
    redirects = False
    """One would lead the token to another host: Sentry's regions have addresses of their own."""

    def __init__(
        self,
        source: Project,
        http: Http,
        token: str,
        *,
        section: str = "performance/app_starts",
        environment: str = "",
        rights: Rights = READING,
    ) -> None:
        """`environment`: the one that is asked about, where one is."""
        self._source, self._section, self._rights = source, section, rights
        self._environment = environment
        missing = CredentialsError(
            "there is no Sentry token",
            where="Sentry",
            why=f"the secret {rights.secret} does not exist in this environment, or is not passed to the step",
            next_step=f"{rights.made}, and add it under Settings → Environments → secrets",
        )
        root = f"{source.url.rstrip('/')}/api/0/organizations/{source.organization}"
        super().__init__(http, given(token, missing), root)

    def where(self, method: str, path: str) -> str:
        """With the host, which says the region."""
        return f"{method} {self.root}/{path.removeprefix(self.root).lstrip('/').partition('?')[0]}"

    def following(self, answer: requests.Response, page: Any, path: str, params: Query) -> tuple[str, Query] | None:
        link = answer.links.get("next", {})
        if link.get("results") != "true" or not link.get("cursor"):
            return None
        pairs = params.items() if isinstance(params, Mapping) else params
        return path, [*((name, value) for name, value in pairs if name != "cursor"), ("cursor", link["cursor"])]

    def refusal(self, answer: requests.Response, where: str) -> ShipmateError:
        status, source = answer.status_code, self._source
        words = f"HTTP {status}: {_detail(answer)}"
        if status == 401:
            return CredentialsError(
                f"Sentry does not accept the token ({words})",
                where=where,
                why="it is wrong, expired or revoked, or belongs to another of Sentry's regions",
                next_step=f"{self._rights.made}, and replace the secret {self._rights.secret}",
            )
        if status == 403:
            return CredentialsError(
                f"Sentry refuses ({words})",
                where=where,
                why=f"{self._rights.lacking}, or may not see a project {source.project!r}",
                next_step=f"{self._rights.made}; see `{self._section}` in shipmate.yml",
            )
        if status == 404:
            return self._unknown(words, where)
        if 300 <= status < 400:
            return ProviderError(
                f"Sentry answers elsewhere ({words})",
                where=where,
                why=f"it says {answer.headers.get('location', 'nothing about where')}",
                next_step=f"write that host as `url` of `{self._section}` in shipmate.yml",
            )
        return ProviderError(
            f"Sentry refuses the question ({words})", where=where, next_step="read Sentry's words above"
        )

    def _unknown(self, words: str, where: str) -> ProviderError:
        nowhere = f"Sentry knows no organization {self._source.organization!r} here"
        if not self._environment:
            return ProviderError(
                f"{nowhere} ({words})",
                where=where,
                why="an organization lives in one of Sentry's regions",
                next_step=f"see `{self._section}` in shipmate.yml",
            )
        return ProviderError(
            f"{nowhere}, or no environment {self._environment!r} ({words})",
            where=where,
            why="an environment exists from its first report on; an organization lives in one of Sentry's regions",
            next_step=f"see that the app reports with that environment; see `{self._section}` in shipmate.yml",
        )

    def unreadable(self, page: Any, lacks: str) -> ProviderError:
        """The error for an answer without what was asked for."""
        return ProviderError(
            f"Sentry's answer has no {lacks}: {page!r}"[:300],
            where=self.root,
            next_step=f"see that `url` of `{self._section}` in shipmate.yml is Sentry's",
        )


def _detail(answer: requests.Response) -> str:
    try:
        document = answer.json()
        return str(document["detail"] if "detail" in document else document["error"])
    except (ValueError, LookupError, TypeError):
        return body_text(answer)
