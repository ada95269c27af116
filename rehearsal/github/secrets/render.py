"""Secrets' metadata, and variables."""

from __future__ import annotations

from typing import Any

from rehearsal.github.secrets.state import Secret, Variable
from rehearsal.github.view import stamp


def secret(one: Secret) -> dict[str, Any]:
    """Never the value."""
    return {"name": one.name, "created_at": stamp(one.created_at), "updated_at": stamp(one.updated_at)}


def variable(one: Variable) -> dict[str, Any]:
    return {
        "name": one.name,
        "value": one.value,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
    }
