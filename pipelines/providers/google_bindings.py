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
    unknown: list[Held] = []
    for read in policies:
        try:
            bindings = read()
        except CredentialsError as error:
            unknown.append(Held(state="unknown", why=error.what))
            continue
        for binding in bindings:
            found = _by_binding(f"serviceAccount:{account}", roles, binding)
            if found is not None and found.state == "ok":
                return found
            unknown += [found] if found is not None else []
    return unknown[0] if unknown else Held(state="missing")


def _by_binding(member: str, roles: frozenset[str], binding: Mapping[str, Any]) -> Held | None:
    """What one binding says of it: held, or why that is not certain; None where it says nothing."""
    role, members = str(binding["role"]), set(binding.get("members", ()))
    has = member in members or bool(_EVERYBODY & members)
    why = ""
    if role in roles and has:
        if not binding.get("condition"):
            return Held(state="ok")
        why = f"{role} is bound under a condition"
    elif role in roles and any(each.startswith(_MANY) for each in members):
        why = f"{role} is held by a group or a domain, whose members are not shown"
    elif has and not role.startswith("roles/"):
        why = f"it holds the custom role {role}"
    return Held(state="unknown", why=why) if why else None
