"""Secrets and variables, of a repository or of an environment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(kw_only=True)
class Secret:
    name: str
    value: str
    """Handed to jobs only; no answer of the API holds it."""
    created_at: datetime
    updated_at: datetime


@dataclass(kw_only=True)
class Variable:
    name: str
    value: str
    created_at: datetime
    updated_at: datetime
