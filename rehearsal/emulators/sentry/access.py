"""Who reads: tokens and their scopes, and how often they may ask."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from rehearsal.emulators.refusal import bearer
from rehearsal.emulators.sentry.errors import ApiError, forbidden

READING = frozenset({"org:read", "org:write", "org:admin"})
"""Any of these lets a token read events."""
ANNOUNCING = frozenset({"org:ci", "project:releases", "project:write", "project:admin"})
"""Any of these lets a token announce releases and bring source maps."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """So many requests of one token in each window of so many seconds."""

    requests: int
    seconds: int = 1


class Access:
    """The tokens of one organization. An organization's own token has the scope org:ci, which reads nothing here."""

    def __init__(self, tokens: Mapping[str, Collection[str]], limit: Limit | None, clock: Callable[[], float]) -> None:
        self._tokens = {token: frozenset(scopes) for token, scopes in tokens.items()}
        self._limit = limit
        self._clock = clock
        self._asked: dict[tuple[str, int], int] = {}

    def token(self, request: Request) -> str:
        """The token of a request. Raises ApiError (401)."""
        if "authorization" not in request.headers:
            raise ApiError(401, "Authentication credentials were not provided.")
        token = bearer(request)
        if token is None or token not in self._tokens:
            raise ApiError(401, "Invalid token")
        return token

    def require_reading(self, token: str) -> None:
        """Raises ApiError (403)."""
        self._require(token, READING)

    def require_announcing(self, token: str) -> None:
        """Raises ApiError (403)."""
        self._require(token, ANNOUNCING)

    def _require(self, token: str, scopes: frozenset[str]) -> None:
        if not self._tokens[token] & scopes:
            raise forbidden()

    def counted(self, token: str) -> tuple[dict[str, str], ApiError | None]:
        """Count one request: the headers that its answer carries, and the refusal when there were too many."""
        if self._limit is None:
            return {}, None
        most, seconds = self._limit.requests, self._limit.seconds
        window = math.floor(self._clock() / seconds)
        asked = self._asked.get((token, window), 0) + 1
        self._asked = {key: count for key, count in self._asked.items() if key[1] == window} | {(token, window): asked}
        headers = {
            "X-Sentry-Rate-Limit-Limit": str(most),
            "X-Sentry-Rate-Limit-Remaining": str(max(0, most - asked)),
            "X-Sentry-Rate-Limit-Reset": str((window + 1) * seconds),
        }
        if asked <= most:
            return headers, None
        message = (
            f"You are attempting to use this endpoint too frequently. Limit is {most} requests in {seconds} seconds"
        )
        return headers, ApiError(429, message)
