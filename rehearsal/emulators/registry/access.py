"""The registry's own tokens: a Google access token is exchanged for one at `/v2/token`, or used as it is.

Source: the Docker registry token protocol (distribution docs, "Token Authentication Specification") and Artifact
Registry's user name `oauth2accesstoken`.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Callable

from starlette.requests import Request

from rehearsal.emulators.google.access import Authorise, repository_name
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.refusal import bearer
from rehearsal.emulators.registry.errors import RegistryError

PULL, PUSH, DELETE = "downloadArtifacts", "uploadArtifacts", "deleteArtifacts"
LIFETIME = 3600
_USER = "oauth2accesstoken"


class Gate:
    """Lets requests through whose Google identity has the permission on the repository's project."""

    def __init__(self, authorise: Authorise | None, *, clock: Callable[[], float] = time.time) -> None:
        self._authorise = authorise
        self._clock = clock
        self._issued: dict[str, tuple[str | None, float]] = {}

    def issue(self, request: Request) -> str:
        """A registry token that stands for the Google token in the Basic header. Raises RegistryError 401."""
        google = _basic(request)
        if google is None and self._authorise is not None:
            raise RegistryError(401, "UNAUTHORIZED", f"log in as {_USER} with a Google access token as password")
        token = f"rehearsal-registry-{secrets.token_urlsafe(24)}"
        self._issued[token] = (google, self._clock() + LIFETIME)
        return token

    def check(self, request: Request, repository: str, action: str) -> None:
        """Raises RegistryError 401 (with a Bearer challenge) or 403."""
        if self._authorise is None:
            return
        token = self._google_token(request)
        resource = repository_name(request.headers.get("host", ""), repository)
        try:
            if token is None:
                raise GoogleError("UNAUTHENTICATED", "no usable credentials")
            self._authorise(token, f"artifactregistry.repositories.{action}", resource)
        except GoogleError as error:
            if error.status == "UNAUTHENTICATED":
                challenge = {"WWW-Authenticate": self._challenge(request, repository, action)}
                raise RegistryError(401, "UNAUTHORIZED", error.message, headers=challenge) from error
            raise RegistryError(403, "DENIED", error.message) from error

    def _google_token(self, request: Request) -> str | None:
        token = bearer(request)
        if token is None:
            return _basic(request)
        google, expires = self._issued.get(token, (token, float("inf")))
        return google if expires > self._clock() else None

    @staticmethod
    def _challenge(request: Request, repository: str, action: str) -> str:
        host = request.headers.get("host", "localhost")
        # Clients that came by the real name are sent back to it over https; their overlay maps it here again.
        scheme = "https" if host.endswith(".pkg.dev") else request.url.scheme
        scope = f',scope="repository:{repository}:{"pull" if action == PULL else "pull,push"}"' if repository else ""
        return f'Bearer realm="{scheme}://{host}/v2/token",service="{host}"{scope}'


def _basic(request: Request) -> str | None:
    user, password = basic_credentials(request) or ("", "")
    return password if user == _USER and password else None


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """User and password of `Authorization: Basic` (RFC 7617), or None."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password
