"""Tokens given out, and what each of them allows. Shared by the two token services and asked by all other emulators."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt.types import Options

from rehearsal.emulators import saving
from rehearsal.emulators.google.errors import GoogleError, invalid
from rehearsal.emulators.google_auth.policy import CredentialRejected, Policy

FetchKeys = Callable[[], Awaitable[Mapping[str, Any]]]
"""Fetches the issuer's JSON Web Key Set (RFC 7517)."""

_FEDERATED_LIFETIME = 3600
_LONGEST_ACCESS = 3600.0  # longer needs an organisation policy that ours does not have
_SKEW = 60
# Times are checked here, against the world's clock.
_OPTIONS: Options = {"require": ["exp", "iat", "sub"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}


class ExchangeRefused(Exception):
    """STS refuses a token exchange: an OAuth error (RFC 6749 §5.2) with its HTTP status."""

    def __init__(self, error: str, description: str, *, http_status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.http_status = http_status


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a token stands for: a federated subject, or a service account (then `account` is set). Epoch seconds."""

    principal: str
    expires: float
    subject: str = ""
    account: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of a federated subject: mapped attribute -> value."""


class Tokens:
    """Gives out and checks tokens by a Policy."""

    def __init__(self, policy: Policy, fetch_keys: FetchKeys, *, clock: Callable[[], float] = time.time) -> None:
        self.policy = policy
        self._fetch_keys = fetch_keys
        self._clock = clock
        self._grants: dict[str, Grant] = {}

    async def exchange(self, *, audience: str, subject_token: str) -> tuple[str, int]:
        """A federated token for a GitHub OIDC token, and its lifetime in seconds. Raises ExchangeRefused."""
        if audience != self.policy.audience:
            raise ExchangeRefused(
                "invalid_target",
                'The target service indicated by the "audience" parameters is invalid. This might either be because '
                "the pool or provider is disabled or deleted or because it doesn't exist.",
            )
        claims = await self._verified(subject_token)
        try:
            subject, attributes = self.policy.admit(claims)
        except CredentialRejected as rejected:
            status = 401 if rejected.error == "unauthorized_client" else 400
            raise ExchangeRefused(rejected.error, rejected.description, http_status=status) from rejected
        grant = Grant(
            principal=self.policy.principal(subject),
            subject=subject,
            attributes=attributes,
            expires=self._clock() + _FEDERATED_LIFETIME,
        )
        return self._issue("federated", grant), _FEDERATED_LIFETIME

    def impersonate(self, token: str | None, email: str, *, scopes: list[str], lifetime: float) -> tuple[str, float]:
        """An access token of a service account for a federated token, and when it expires. Raises GoogleError."""
        if not scopes:
            raise invalid("scope", "at least one scope is needed.")
        if not 0 < lifetime <= _LONGEST_ACCESS:
            raise invalid("lifetime", f"must be more than 0s and at most {_LONGEST_ACCESS:.0f}s.")
        holder = self.holder(token)
        account = self.policy.account(email)
        if account is None or holder.account or not account.may_be_used_by(holder.subject, holder.attributes):
            raise _denied("iam.serviceAccounts.getAccessToken", f"{email} (or it may not exist)")
        # Whole seconds: google-auth reads expireTime without a fraction.
        grant = Grant(principal=email, account=email, expires=float(int(self._clock() + lifetime)))
        return self._issue("access", grant), grant.expires

    def access_token(self, email: str, *, lifetime: float = _LONGEST_ACCESS) -> str:
        """A token as the metadata server gives a workload that runs as `email`. Raises LookupError when unknown."""
        if self.policy.account(email) is None:
            raise LookupError(f"no service account {email}")
        return self._issue("access", Grant(principal=email, account=email, expires=self._clock() + lifetime))

    def authorise(self, token: str | None, permission: str, resource: str, /) -> str:
        """`rehearsal.emulators.google.access.Authorise`, by this policy."""
        holder = self.holder(token)
        if not self.allows(holder.account, permission, resource):
            raise _denied(permission, f"'{resource}' (or it may not exist)")
        return holder.principal

    def allows(self, email: str, permission: str, resource: str) -> bool:
        """Whether the service account `email` has `permission` on `resource`."""
        account = self.policy.account(email)
        return account is not None and account.may(permission, resource)

    def iam_policy(self, resource: str) -> dict[str, Any]:
        """The API's Policy of a resource, by the policy of now."""
        return self.policy.iam_policy(resource)

    def holder(self, token: str | None) -> Grant:
        """Whose token it is. Raises GoogleError UNAUTHENTICATED when it is missing, unknown or expired."""
        if token is None:
            raise GoogleError("UNAUTHENTICATED", "Request is missing required authentication credential.")
        grant = self._grants.get(token)
        if grant is None or grant.expires <= self._clock():
            raise GoogleError("UNAUTHENTICATED", "Request had invalid authentication credentials.")
        return grant

    def clear(self) -> None:
        """Forget every token."""
        self._grants.clear()

    def save(self) -> dict[str, Any]:
        """The tokens given out."""
        return {"grants": {token: saving.to_json(grant) for token, grant in self._grants.items()}}

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the tokens by saved ones."""
        self._grants = {token: saving.from_json(Grant, grant) for token, grant in saved["grants"].items()}

    def _issue(self, kind: str, grant: Grant) -> str:
        token = f"rehearsal-{kind}-{secrets.token_urlsafe(24)}"
        self._grants[token] = grant
        return token

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(str(header.get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=self.policy.issuer,
                audience=self.policy.token_audiences,
                # Times are checked below, against the world's clock.
                options={
                    "require": ["exp", "iat", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidAudienceError as error:
            raise ExchangeRefused(
                "invalid_grant", f"The audience in ID Token is not {self.policy.audience}."
            ) from error
        except jwt.InvalidIssuerError as error:
            raise ExchangeRefused("invalid_grant", f"The issuer in ID Token is not {self.policy.issuer}.") from error
        except jwt.PyJWTError as error:
            raise ExchangeRefused("invalid_grant", f"Error verifying the ID Token: {error}") from error
        self._check_times(claims)
        return claims

    async def _key(self, kid: str) -> jwt.PyJWK:
        keys = jwt.PyJWKSet.from_dict(dict(await self._fetch_keys()))
        for key in keys.keys:
            if key.key_id == kid:
                return key
        raise ExchangeRefused("invalid_grant", f"No matching key with id '{kid}' in the issuer's key set.")

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        if float(claims["exp"]) + _SKEW <= now:
            raise ExchangeRefused("invalid_grant", f"ID Token is stale to sign-in: it expired at {claims['exp']}.")
        if float(claims.get("nbf", claims["iat"])) - _SKEW > now:
            raise ExchangeRefused("invalid_grant", "ID Token is issued in the future.")


def _denied(permission: str, where: str) -> GoogleError:
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": permission},
    }
    return GoogleError("PERMISSION_DENIED", f"Permission '{permission}' denied on resource {where}.", details=(detail,))
