"""State as JSON and back, by the types of its dataclasses; bytes are base64."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def to_json(state: object) -> dict[str, Any]:
    """A dataclass, and what it holds, JSON-ready. Raises TypeError for what JSON cannot hold."""
    found: dict[str, Any] = msgspec.to_builtins(state, str_keys=True)
    return found


def from_json(kind: type[T], saved: dict[str, Any]) -> T:
    """The reverse. Raises ValueError, naming the field, for what this type does not hold."""
    return msgspec.convert(saved, kind, str_keys=True)
