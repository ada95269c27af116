"""Who sends a request: the Authorization header as API clients, git and browsers write it."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta

from rehearsal.github.identity import Identity
from rehearsal.github.problems import Problem, bad_credentials
from rehearsal.github.service import Service
from rehearsal.github.state.tokens import Token

_WINDOW = timedelta(hours=1)
LIMITS = {"classic": 5_000, "fine-grained": 5_000, "job": 1_000}
"""Requests an hour; for a job's token GitHub counts a thousand per repository."""
ANONYMOUS_LIMIT = 60


def identify(service: Service, header: str | None) -> Identity:
    """The identity behind an Authorization header (token, bearer, or basic with the token as password).

    Raises Problem 401 for a token that is unknown, retired or expired.
    """
    value = _credential(header)
    if value is None:
        return Identity()
    token = service.token(value)
    if token is None or token.login not in service.database.users:
        raise bad_credentials()
    return Identity(user=service.database.users[token.login], token=token)


def count(service: Service, token: Token | None) -> dict[str, str]:
    """Count a request against the token's hour; returns the headers that say so.

    Raises Problem 403 when the hour is used up.
    """
    limit = LIMITS[token.kind] if token is not None else ANONYMOUS_LIMIT
    if token is None:
        return _headers(limit, 0, int((service.now() + _WINDOW).timestamp()))
    start = token.window_started_at
    if start is None or service.now() - start >= _WINDOW:
        token.window_started_at, token.used = service.now(), 0
    reset = reset_at(service, token)
    if token.used >= limit:
        headers = _headers(limit, limit, reset)
        raise Problem(403, f"API rate limit exceeded for {token.login}.", headers=headers)
    token.used += 1
    return _headers(limit, token.used, reset)


def reset_at(service: Service, token: Token | None) -> int:
    """When the running hour ends, in epoch seconds."""
    start = token.window_started_at if token is not None else None
    return int(((start or service.now()) + _WINDOW).timestamp())


def _headers(limit: int, used: int, reset: int) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(limit - used),
        "X-RateLimit-Used": str(used),
        "X-RateLimit-Reset": str(reset),
        "X-RateLimit-Resource": "core",
    }


def _credential(header: str | None) -> str | None:
    scheme, _, rest = (header or "").strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() in ("token", "bearer"):
        return rest.strip()
    if scheme.lower() != "basic":
        raise bad_credentials()
    try:
        user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise bad_credentials() from error
    # A token may stand in either place: `x-access-token:TOKEN@` or `TOKEN:x-oauth-basic@`.
    return user if password in ("", "x-oauth-basic") else password
