"""Who may ask: tokens that are signed with an API key, the key's roles, and how often.

What a token must be is Apple's prose (Generating Tokens for API Requests). Which role may do what is general knowledge, as far as
it goes here: developers deliver builds and look after TestFlight, App Managers also release.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from starlette.requests import Request

from rehearsal.emulators.app_store.errors import Refused, agreements_missing, forbidden, too_many, unauthorized
from rehearsal.emulators.app_store.state import Account
from rehearsal.emulators.refusal import bearer

AUDIENCE = "appstoreconnect-v1"
LONGEST_LIFE = 20 * 60
HOUR = 3600.0

READERS = frozenset({"ADMIN", "APP_MANAGER", "DEVELOPER", "MARKETING", "CUSTOMER_SUPPORT", "SALES", "FINANCE"})
DEVELOPERS = frozenset({"ADMIN", "APP_MANAGER", "DEVELOPER"})
MANAGERS = frozenset({"ADMIN", "APP_MANAGER"})


@dataclass(kw_only=True)
class Key:
    """An API key of the team, as App Store Connect keeps it."""

    id: str
    issuer: str
    public: EllipticCurvePublicKey
    roles: frozenset[str] = frozenset({"APP_MANAGER"})
    revoked: bool = False


def public_part(pem: str) -> EllipticCurvePublicKey:
    """Of a private key in PKCS #8 (.p8). Raises ValueError for another kind of key."""
    private = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, EllipticCurvePrivateKey):
        raise ValueError("an App Store Connect key is on the curve P-256")
    return private.public_key()


@dataclass(kw_only=True)
class Access:
    """The gate before the API. `hourly`: requests of one key in any hour."""

    account: Account
    keys: list[Key]
    hourly: int = 3600
    clock: Callable[[], float] = time.time
    """Of tokens and of the limit: real time, whatever a world lets pass."""
    asked: dict[str, deque[float]] = field(default_factory=dict)

    def admit(self, request: Request, roles: frozenset[str]) -> Key:
        """The key a request was signed with. Raises Refused: 401, 429, or 403 for a missing agreement and a small role."""
        key = self._key(request)
        recent = self._recent(key)
        if len(recent) >= self.hourly:
            raise too_many()
        recent.append(self.clock())
        if self.account.agreements_missing:
            raise agreements_missing()
        if not key.roles & roles:
            raise forbidden()
        return key

    def limits(self, request: Request) -> dict[str, str]:
        """The header that every answer to a known key has."""
        try:
            recent = self._recent(self._key(request))
        except Refused:
            return {}
        return {"X-Rate-Limit": f"user-hour-lim:{self.hourly};user-hour-rem:{max(0, self.hourly - len(recent))};"}

    def _recent(self, key: Key) -> deque[float]:
        recent = self.asked.setdefault(key.id, deque())
        while recent and recent[0] <= self.clock() - HOUR:
            recent.popleft()
        return recent

    def _key(self, request: Request) -> Key:
        token = bearer(request)
        if token is None:
            raise unauthorized()
        try:
            header = jwt.get_unverified_header(token)
            key = next(key for key in self.keys if key.id == header.get("kid") and not key.revoked)
            # Times are compared below, by this gate's clock.
            claims = jwt.decode(
                token,
                key.public,
                algorithms=["ES256"],
                audience=AUDIENCE,
                issuer=key.issuer,
                options={
                    "require": ["exp", "aud", "iss"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.InvalidTokenError, StopIteration) as error:
            raise unauthorized() from error
        if not self._in_time(claims):
            raise unauthorized()
        return key

    def _in_time(self, claims: dict[str, Any]) -> bool:
        now, ends = self.clock(), claims["exp"]
        return isinstance(ends, int | float) and now < ends <= now + LONGEST_LIFE
