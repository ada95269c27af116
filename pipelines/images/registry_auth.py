"""Tokens of registries: what a 401's challenge asks for is fetched once per scope, with credentials or without.

Source: distribution docs, "Token Authentication Specification" (the Bearer challenge); RFC 7617 (Basic).
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.errors import CredentialsError
from pipelines.http import Http

if TYPE_CHECKING:
    import requests

Credentials = Callable[[str], tuple[str, str] | None]
"""User and password for a registry's host, None to go without."""

GOOGLE_USER = "oauth2accesstoken"
TOKEN_SERVICES = {"docker.io": "auth.docker.io", "registry.gitlab.com": "gitlab.com"}
"""Registries whose tokens another host gives. Everywhere else (ghcr.io, *.pkg.dev, gcr.io, quay.io) it is the registry itself."""


def google(token: Callable[[], str], otherwise: Credentials | None = None) -> Credentials:
    """Credentials for Google's registries from an access token (fetched when first asked for), `otherwise` for the rest."""

    def credentials(host: str) -> tuple[str, str] | None:
        if host.endswith(".pkg.dev") or host == "gcr.io" or host.endswith(".gcr.io"):
            return GOOGLE_USER, token()
        return (otherwise or docker_logins)(host)

    return credentials


def docker_logins(host: str) -> tuple[str, str] | None:
    """What `docker login` wrote to its config.json (credential helpers are not asked)."""
    folder = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    try:
        logins = json.loads((Path(folder) / "config.json").read_text()).get("auths", {})
        found = logins.get("https://index.docker.io/v1/" if host == "docker.io" else host, {}).get("auth", "")
        user, colon, password = base64.b64decode(found).decode().partition(":")
    except (OSError, ValueError, AttributeError):
        return None
    return (user, password) if colon else None


class RegistryAuth:
    """The Authorization header for each (host, repository, actions)."""

    def __init__(self, http: Http, credentials: Credentials) -> None:
        self._http = http
        self._credentials = credentials
        self._tokens: dict[tuple[str, str, str], str] = {}

    def header(self, host: str, path: str, actions: str) -> dict[str, str]:
        """The header that worked last, or none."""
        token = self._tokens.get((host, path, actions))
        return {"Authorization": token} if token else {}

    def answer(self, challenge: str, host: str, path: str, actions: str) -> dict[str, str]:
        """A new header for the challenge of a 401. Raises CredentialsError."""
        scheme, _, rest = challenge.partition(" ")
        known = self._credentials(host)
        if scheme.lower() == "bearer":
            asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
            header = f"Bearer {self._token(asked, known, host, f'{path}:{actions}')}"
        elif scheme.lower() == "basic" and known is not None:
            header = _basic(*known)
        else:
            raise _no_credentials(host, path)
        self._tokens[(host, path, actions)] = header
        return {"Authorization": header}

    def _token(self, challenge: dict[str, str], known: tuple[str, str] | None, host: str, wanted: str) -> str:
        realm = challenge.get("realm", "")
        if urlsplit(realm).scheme != "https" and not is_loopback(urlsplit(realm).hostname or ""):
            raise CredentialsError(
                f"the registry sends us to {realm!r} for a token",
                where=host,
                why="credentials are never sent over plain http to another machine",
                next_step="check the registry's address",
            )
        if known and not gives_tokens(realm, host):
            raise CredentialsError(
                f"the registry sends us to {realm!r} for a token",
                where=host,
                why="its credentials are for itself alone, and that is another host",
                next_step="check the registry's address; if that host is its own, name it in TOKEN_SERVICES (registry_auth.py)",
            )
        params = {"scope": challenge.get("scope") or f"repository:{wanted}"}
        if "service" in challenge:
            params["service"] = challenge["service"]
        headers = {"Authorization": _basic(*known)} if known else {}
        answer = self._http.request("GET", realm, params=params, headers=headers)
        if answer.status_code != 200:
            raise _refused(host, wanted.partition(":")[0], answer)
        body = answer.json()
        return str(body.get("token") or body.get("access_token"))


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL, as browsers compare them (RFC 6454 §4)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def gives_tokens(realm: str, host: str) -> bool:
    """Whether `realm` may be sent the credentials of a registry."""
    scheme = urlsplit(realm).scheme
    return origin(realm) in (origin(f"{scheme}://{host}"), origin(f"https://{TOKEN_SERVICES.get(host, host)}"))


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _no_credentials(host: str, path: str) -> CredentialsError:
    return CredentialsError(
        f"{host} requires credentials for {path}, and there are none",
        where=host,
        next_step=f"in a workflow give the job `id-token: write`; on a laptop run `docker login {host}` "
        "or export GOOGLE_OAUTH_ACCESS_TOKEN",
    )


def _refused(host: str, path: str, answer: requests.Response) -> CredentialsError:
    return CredentialsError(
        f"HTTP {answer.status_code} from its token service: {answer.text.strip()[:300]}",
        where=f"{host}/{path}",
        why="the credentials are wrong or expired, or may not use this repository",
        next_step="log in again; for Artifact Registry the account needs roles/artifactregistry.writer",
    )
