"""GitHub's OIDC issuer: one RSA key, its JWKS, and the tokens signed with it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from rehearsal.github.database import Database
from rehearsal.github.repositories.state import Repository

LIFETIME_SECONDS = 300
"""GitHub's tokens live five minutes."""

_KEY_ID = "rehearsal-oidc"


class OidcIssuer:
    """Signs tokens as https://token.actions.githubusercontent.com does, under this GitHub's own issuer URL."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._pem: bytes | None = None

    def use_key(self, pem: bytes) -> None:
        """Sign with this RSA key (PEM, PKCS#8) instead of one made at first use."""
        self._pem = pem
        self.__dict__.pop("_key", None)

    @cached_property
    def _key(self) -> RSAPrivateKey:
        if self._pem is None:
            return generate_private_key(public_exponent=65537, key_size=2048)
        key = serialization.load_pem_private_key(self._pem, password=None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("the OIDC key has to be an RSA private key in PEM form")
        return key

    def private_pem(self) -> bytes:
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, issuer: str, claims: dict[str, Any]) -> str:
        """A JWT (RS256) with iss, iat, nbf and exp added to the claims."""
        at = int(self._now().timestamp())
        timed = {"iat": at, "nbf": at, "exp": at + LIFETIME_SECONDS, **claims, "iss": issuer}
        return jwt.encode(timed, self._key, algorithm="RS256", headers={"kid": _KEY_ID})

    def jwks(self) -> dict[str, Any]:
        """The public key as RFC 7517 has it."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _KEY_ID, "n": _number(numbers.n)}
        return {"keys": [{**key, "e": _number(numbers.e)}]}

    def configuration(self, issuer: str) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery 1.0)."""
        return {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/.well-known/jwks",
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }


def subject_prefix(database: Database, repository: Repository) -> str:
    """What every subject of a repository's tokens begins with: names, or names with the numbers that never change."""
    if not repository.settings.immutable_subject:
        return f"repo:{repository.full_name}"
    owner = database.users[repository.owner]
    return f"repo:{owner.login}@{owner.id}/{repository.name}@{repository.id}"


def _number(value: int) -> str:
    size = (value.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()
