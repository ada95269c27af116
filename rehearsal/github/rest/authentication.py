"""Who sends a request: the Authorization header as API clients, git and browsers write it."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta

from rehearsal.github.accounts.rate_limit import Allowance, RequestCount
from rehearsal.github.accounts.tokens import Token
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem, bad_credentials

_WINDOW = timedelta(hours=1)
LIMITS = {"classic": 5_000, "fine-grained": 5_000, "job": 1_000, "app": 5_000}
"""Requests an hour: of a user with all their tokens; of a repository with the tokens of all its jobs."""
ANONYMOUS_LIMIT = 60


def identify(instance: GitHubInstance, header: str | None) -> Identity:
    """The identity behind an Authorization header (token, bearer, or basic with the token as password).

    Raises Problem 401 for a token that is unknown, retired or expired.
    """
    value = _credential(header)
    if value is None:
        return Identity()
    token = instance.token(value)
    if token is None or token.login not in instance.database.users:
        raise bad_credentials()
    return Identity(user=instance.database.users[token.login], token=token)


def count(instance: GitHubInstance, token: Token | None, route: str) -> dict[str, str]:
    """Count a request against the hour of the token's owner; returns the headers that say so. `route`: its method and path, unfilled.

    Raises Problem 403 when the hour is used up.
    """
    if token is None:
        return _headers(ANONYMOUS_LIMIT, 0, int((instance.now() + _WINDOW).timestamp()))
    allowance, limit = allowance_of(instance, token), LIMITS[token.kind]
    if allowance.since is None or instance.now() - allowance.since >= _WINDOW:
        allowance.since, allowance.used = instance.now(), 0
    reset = reset_at(instance, allowance)
    if allowance.used >= limit:
        whose = "installation" if token.kind == "job" else token.login
        raise Problem(403, f"API rate limit exceeded for {whose}.", headers=_headers(limit, limit, reset))
    allowance.used += 1
    if (requests := _of_run(instance, token)) is not None:
        requests.add(token.job_id or 0, route, 1)
    return _headers(limit, allowance.used, reset)


def uncount(instance: GitHubInstance, token: Token, route: str) -> dict[str, str]:
    """Uncount a request that was answered 304; returns the headers as they are then."""
    allowance = allowance_of(instance, token)
    allowance.used -= 1
    if (requests := _of_run(instance, token)) is not None:
        requests.add(token.job_id or 0, route, -1)
        requests.not_modified += 1
    return _headers(LIMITS[token.kind], allowance.used, reset_at(instance, allowance))


def allowance_of(instance: GitHubInstance, token: Token) -> Allowance:
    """What a token's requests are counted against: its user's hour, or that of all jobs of its repository."""
    if token.kind == "job" and token.repository is not None:
        return instance.repository(token.repository).jobs_allowance
    return instance.database.users[token.login].allowance


def _of_run(instance: GitHubInstance, token: Token) -> RequestCount | None:
    if token.run_id is None or token.repository is None:
        return None
    return instance.repository(token.repository).requests.setdefault(token.run_id, RequestCount())


def reset_at(instance: GitHubInstance, allowance: Allowance) -> int:
    """When the running hour ends, in epoch seconds."""
    return int(((allowance.since or instance.now()) + _WINDOW).timestamp())


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
