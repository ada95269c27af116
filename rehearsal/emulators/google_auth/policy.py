"""What the world's Google organisation allows: one workload identity pool, and the service accounts behind it."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rehearsal.emulators.google_auth import cel
from rehearsal.emulators.google_auth.roles import ROLES, WORKLOAD_IDENTITY_USER

_LONGEST_SUBJECT = 127
"""Bytes of `google.subject`."""


class CredentialRejected(Exception):
    """The provider does not take a credential in: an OAuth error code with Google's sentence."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """A Google service account.

    `subjects` and `attributes`: who may become it (the members of its roles/iam.workloadIdentityUser). A subject is the
    exact `google.subject`; an attribute is a mapped one with its value: ("environment", "production").
    `grants`: project, or folder ("folders/1") -> IAM permissions it has there; `*` matches any run of characters ("run.*").
    `roles`: resource -> the roles bound to it there, which hold for all below: "projects/P", "projects/P/secrets/S".
    Roles of folders are shown and not inherited.
    """

    email: str
    subjects: frozenset[str] = frozenset()
    attributes: frozenset[tuple[str, str]] = frozenset()
    grants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def project(self) -> str:
        """The project in its address."""
        return self.email.partition("@")[2].partition(".")[0]

    def may(self, permission: str, resource: str) -> bool:
        """Whether it has `permission` on a resource: a project's name, or `projects/…`."""
        name = resource if "/" in resource else f"projects/{resource}"
        patterns = set(self.grants.get(name.split("/")[1] if name.startswith("projects/") else name, ()))
        for bound, roles in self.roles.items():
            if name == bound or name.startswith(f"{bound}/"):
                patterns.update(*(ROLES.get(role, ()) for role in roles))
        return any(fnmatch.fnmatchcase(permission, pattern) for pattern in patterns)

    def may_be_used_by(self, subject: str, attributes: Mapping[str, str]) -> bool:
        """Whether a federated identity may become it."""
        return subject in self.subjects or any(attributes.get(name) == value for name, value in self.attributes)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One pool with one OIDC provider, and the accounts its identities may become.

    `provider`: `projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
    `issuer`: the `iss` of the tokens taken in. `condition`: the provider's attribute condition, "" for none.
    `mapping`: its attribute mapping, `google.subject` or `attribute.NAME` -> expression.
    Raises cel.ExpressionInvalid for a condition or a mapping that cannot be read.
    """

    provider: str
    issuer: str
    accounts: tuple[ServiceAccount, ...]
    condition: str = ""
    mapping: Mapping[str, str] = field(default_factory=lambda: {"google.subject": "assertion.sub"})

    def __post_init__(self) -> None:
        _ = self._condition, self._mapping

    @cached_property
    def _condition(self) -> cel.Expression | None:
        return cel.parse(self.condition) if self.condition else None

    @cached_property
    def _mapping(self) -> Mapping[str, cel.Expression]:
        return {target: cel.parse(expression) for target, expression in self.mapping.items()}

    @property
    def pool(self) -> str:
        return self.provider.rpartition("/providers/")[0]

    @property
    def audience(self) -> str:
        """The full resource name of the provider, as STS requires it in `audience`."""
        return f"//iam.googleapis.com/{self.provider}"

    @property
    def token_audiences(self) -> tuple[str, str]:
        """The `aud` values a subject token may carry: by default the provider's name, with or without https."""
        return (f"https:{self.audience}", self.audience)

    def account(self, email: str) -> ServiceAccount | None:
        """The account of that address, or None."""
        return next((account for account in self.accounts if account.email == email), None)

    def admit(self, claims: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """The subject and the attributes a token's claims map to. Raises CredentialRejected.

        A custom attribute whose expression asks for a claim that is not there is left out.
        """
        subject, attributes = self._mapped(claims)
        context = {"assertion": claims, "google": {"subject": subject}, "attribute": attributes}
        if self._condition is not None and not _holds(self._condition, context):
            raise CredentialRejected(
                "unauthorized_client", "The given credential is rejected by the attribute condition."
            )
        return subject, attributes

    def _mapped(self, claims: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        found: dict[str, str] = {}
        for target, expression in self._mapping.items():
            try:
                value = expression({"assertion": claims})
            except cel.EvaluationError:
                continue
            if isinstance(value, str):
                found[target] = value
        subject = found.get("google.subject", "")
        if not subject:
            raise CredentialRejected("invalid_request", "The mapped attribute 'google.subject' must be non-empty.")
        if len(subject.encode()) > _LONGEST_SUBJECT:
            raise CredentialRejected(
                "invalid_request",
                f"The size of mapped attribute google.subject exceeds the {_LONGEST_SUBJECT} bytes limit. Either modify "
                "your attribute mapping or the incoming assertion to produce a mapped attribute that is less than "
                f"{_LONGEST_SUBJECT} bytes.",
            )
        custom = {name: value for name, value in found.items() if name.startswith("attribute.")}
        return subject, {name.removeprefix("attribute."): value for name, value in custom.items()}

    def principal(self, subject: str) -> str:
        """The IAM name of a federated identity."""
        return f"principal://iam.googleapis.com/{self.pool}/subject/{subject}"

    def principal_set(self, attribute: str, value: str) -> str:
        """The IAM name of every identity with that value of a mapped attribute."""
        return f"principalSet://iam.googleapis.com/{self.pool}/attribute.{attribute}/{value}"

    def members(self, account: ServiceAccount) -> list[str]:
        """Who may become an account, by their IAM names."""
        sets = [self.principal_set(name, value) for name, value in account.attributes]
        return sorted([*(self.principal(subject) for subject in account.subjects), *sets])

    def iam_policy(self, resource: str) -> dict[str, Any]:
        """The API's Policy of a resource: who was given which role on itself."""
        members: dict[str, list[str]] = {}
        for account in self.accounts:
            for role in account.roles.get(resource, ()):
                members.setdefault(role, []).append(f"serviceAccount:{account.email}")
        users = self.account(resource.rpartition("/")[2]) if "/serviceAccounts/" in resource else None
        if users is not None and self.members(users):
            members[WORKLOAD_IDENTITY_USER] = self.members(users)
        bindings = [{"role": role, "members": sorted(members[role])} for role in sorted(members)]
        etag = base64.b64encode(hashlib.sha256(repr(bindings).encode()).digest()[:8]).decode()
        return {"version": 1, "etag": etag, **({"bindings": bindings} if bindings else {})}


def _holds(condition: cel.Expression, context: cel.Context) -> bool:
    """What cannot be evaluated is no leave to enter."""
    try:
        return condition(context) is True
    except cel.EvaluationError:
        return False
