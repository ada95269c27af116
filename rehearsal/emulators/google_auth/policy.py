"""What the world's Google organisation allows: one workload identity pool, and the service accounts behind it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field

_UNTRUSTED_EVENTS = frozenset({"pull_request", "pull_request_target"})


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """A Google service account.

    `subjects`: the OIDC subjects that may become it (the members of its roles/iam.workloadIdentityUser), exact.
    `grants`: project -> IAM permissions it has there; `*` matches any run of characters ("run.*").
    """

    email: str
    subjects: frozenset[str] = frozenset()
    grants: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def may(self, permission: str, project: str) -> bool:
        """Whether it has `permission` in `project`."""
        patterns = self.grants.get(project, frozenset())
        return any(fnmatch.fnmatchcase(permission, pattern) for pattern in patterns)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One pool with one OIDC provider, and the accounts its identities may become.

    `provider`: `projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
    `issuer`: the `iss` of the tokens taken in. `repositories`: the attribute condition.
    """

    provider: str
    issuer: str
    repositories: frozenset[str]
    accounts: tuple[ServiceAccount, ...]

    @property
    def audience(self) -> str:
        """The full resource name of the provider, as STS wants it in `audience`."""
        return f"//iam.googleapis.com/{self.provider}"

    @property
    def token_audiences(self) -> tuple[str, str]:
        """The `aud` values a subject token may carry: by default the provider's name, with or without https."""
        return (f"https:{self.audience}", self.audience)

    def account(self, email: str) -> ServiceAccount | None:
        """The account of that address, or None."""
        return next((account for account in self.accounts if account.email == email), None)

    def admits(self, claims: Mapping[str, object]) -> bool:
        """The pool's attribute condition: a repository of ours, and never code of an unmerged pull request."""
        subject = str(claims.get("sub", ""))
        if claims.get("event_name") in _UNTRUSTED_EVENTS or subject.endswith(":pull_request"):
            return False
        return claims.get("repository") in self.repositories

    def principal(self, subject: str) -> str:
        """The IAM name of a federated identity."""
        pool = self.provider.rpartition("/providers/")[0]
        return f"principal://iam.googleapis.com/{pool}/subject/{subject}"
