"""Secrets and variables set; their names are kept in capitals, as on GitHub."""

from __future__ import annotations

from rehearsal.github.instance import GitHubInstance
from rehearsal.github.secrets.state import Secret, Variable


def set_secret(instance: GitHubInstance, secrets: dict[str, Secret], name: str, value: str) -> bool:
    """Whether it is new. Names are kept in capitals, as on GitHub."""
    now, key = instance.now(), name.upper()
    known = secrets.get(key)
    secrets[key] = Secret(name=key, value=value, created_at=known.created_at if known else now, updated_at=now)
    return known is None


def set_variable(instance: GitHubInstance, variables: dict[str, Variable], name: str, value: str) -> bool:
    """Whether it is new."""
    now, key = instance.now(), name.upper()
    known = variables.get(key)
    variables[key] = Variable(name=key, value=value, created_at=known.created_at if known else now, updated_at=now)
    return known is None
