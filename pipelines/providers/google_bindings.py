"""Whether an account holds a role at Google, from the policies that can be read: on the resource, its project, and what is above.

A role can be held by ways that a policy does not show: through a group, by a custom role, under a condition. That is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import CredentialsError
from pipelines.findings import State
from pipelines.providers.google_account import Bindings

OWNERS = frozenset({"roles/owner", "roles/editor"})
_EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
_MANY = ("group:", "domain:", "principalSet:")


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is known of a role. `why`: of what is unknown."""

    state: State
    why: str = ""


def held(account: str, roles: frozenset[str], policies: Iterable[Callable[[], Bindings]]) -> Held:
    """Whether a service account holds one of `roles` by one of `policies`, read one after the other until it does. A policy that may
    not be read leaves it unknown; errors of other kinds are raised."""
    doubts: list[str] = []
    for read in policies:
        try:
            bindings = read()
        except CredentialsError as error:
            doubts.append(error.what)
            continue
        for binding in bindings:
            doubt = _doubt(f"serviceAccount:{account}", roles, binding)
            if doubt == "":
                return Held(state="ok")
            doubts += [doubt] if doubt else []
    return Held(state="unknown", why=doubts[0]) if doubts else Held(state="missing")


def _doubt(member: str, roles: frozenset[str], binding: Mapping[str, Any]) -> str | None:
    """Of one binding: empty where the role is held by it, why that is not certain, None where it says nothing of it."""
    role, members = str(binding["role"]), set(binding.get("members", ()))
    has = member in members or bool(_EVERYBODY & members)
    if role in roles and has:
        return f"{role} is bound under a condition" if binding.get("condition") else ""
    if role in roles and any(each.startswith(_MANY) for each in members):
        return f"{role} is held by a group or a domain, whose members are not shown"
    if has and not role.startswith("roles/"):
        return f"it holds the custom role {role}"
    return None
