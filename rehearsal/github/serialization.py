"""Dataclasses to JSON and back, led by their types: nothing but plain data can be in the state."""

from __future__ import annotations

import dataclasses
import types
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Shape = TypeVar("Shape")


def to_json(value: Any) -> Any:
    """`value` as JSON-ready data; times as ISO 8601, keys of dicts as strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [to_json(one) for one in value]
    return value


def from_json(shape: type[Shape], data: Any) -> Shape:
    """What `to_json` gave, as a `shape` again. Raises KeyError or TypeError when it does not fit."""
    return cast(Shape, _build(shape, data))


def _build(shape: Any, data: Any) -> Any:
    origin = get_origin(shape)
    if origin in (Union, types.UnionType):
        return None if data is None else _build(next(one for one in get_args(shape) if one is not type(None)), data)
    if origin is list:
        return [_build(get_args(shape)[0], one) for one in data]
    if origin is dict:
        key_shape, value_shape = get_args(shape)
        return {key_shape(key): _build(value_shape, one) for key, one in data.items()}
    if shape is datetime:
        return datetime.fromisoformat(data)
    if dataclasses.is_dataclass(shape):
        hints = _hints(cast(Any, shape))
        return cast(Any, shape)(**{name: _build(hints[name], one) for name, one in data.items()})
    return data


@cache
def _hints(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape)
