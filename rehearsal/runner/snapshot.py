"""Runs as JSON and back, for worlds that are saved and forked."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rehearsal.runner.model import Run


def dump_run(run: Run) -> dict[str, Any]:
    """JSON-ready; times in ISO 8601."""
    return typing.cast(dict[str, Any], _plain(dataclasses.asdict(run)))


def load_run(saved: Mapping[str, Any]) -> Run:
    return typing.cast(Run, _build(Run, saved))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _build(kind: Any, value: Any) -> Any:
    """A value of the annotated type, from what `_plain` made of it."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{field.name: _build(hints[field.name], value[field.name]) for field in dataclasses.fields(kind)})
    if kind is datetime:
        return datetime.fromisoformat(value)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return [_build(arguments[0], item) for item in value]
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _build(next(part for part in arguments if part is not type(None)), value)
    return value
