"""The JSON schema and the annotated reference of shipmate.yml, made from the types. Never typed by hand."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pipelines.manifest.model import Manifest

PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of the manifest; editors complete by it."""
    definitions: dict[str, Any] = {}
    root = _schema(Manifest, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "shipmate.yml",
        "description": "Generated from pipelines/manifest/model.py by `shipmate manifest schema --write`.",
        **root,
        "$defs": definitions,
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(member, definitions) for member in get_args(kind)]}
    if kind is type(None):
        return {"type": "null"}
    if origin is Literal:
        return {"enum": list(get_args(kind))}
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(kind)[0], definitions)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(get_args(kind)[1], definitions)}
    if dataclasses.is_dataclass(kind):
        return _record(kind, definitions)
    return {"type": PLAIN[kind]}


def _record(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = _record_body(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _record_body(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    shown = [f for f in dataclasses.fields(kind) if not f.metadata.get("hidden")]
    rest = next((f for f in shown if f.metadata.get("rest")), None)
    extra: Any = False
    if rest is not None:
        extra = _schema(get_args(hints[rest.name])[1], definitions)
    properties = {
        f.name: {"description": f.metadata.get("doc", ""), **_schema(hints[f.name], definitions)}
        for f in shown
        if f is not rest
    }
    required = [f.name for f in shown if f is not rest and not _has_default(f)]
    return {
        "type": "object",
        "description": _first_line(kind),
        "properties": properties,
        "required": required,
        "additionalProperties": extra,
    }


def reference() -> str:
    """The reference page: every record, every key, what it means, what it is when left out."""
    lines = [
        "# shipmate.yml, every key",
        "",
        "Generated from `pipelines/manifest/model.py` by `shipmate manifest docs --write`; do not edit.",
        "The manifest of this repository, `shipmate.yml`, is the annotated example.",
    ]
    for kind in _records(Manifest, {}):
        lines += [
            "",
            f"## {kind.__name__}",
            "",
            _first_line(kind),
            "",
            "| key | type | when left out | meaning |",
            "|---|---|---|---|",
        ]
        hints = typing.get_type_hints(kind)
        for f in dataclasses.fields(kind):
            if not f.metadata.get("hidden"):
                name = "*any other key*" if f.metadata.get("rest") else f"`{f.name}`"
                lines.append(
                    f"| {name} | {_type_name(hints[f.name])} | {_default(f)} | {_cell(f.metadata.get('doc', ''))} |"
                )
    return "\n".join(lines) + "\n"


def _records(kind: Any, seen: dict[Any, None]) -> list[Any]:
    for inner in _inner(kind):
        if dataclasses.is_dataclass(inner) and inner not in seen:
            seen[inner] = None
            for hint in typing.get_type_hints(inner).values():
                _records(hint, seen)
    return list(seen)


def _inner(kind: Any) -> Iterator[Any]:
    yield kind
    for argument in get_args(kind):
        if argument is not Ellipsis and not isinstance(argument, str | int):
            yield from _inner(argument)


def _has_default(f: Any) -> bool:
    return f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING


def _default(f: Any) -> str:
    if f.metadata.get("rest"):
        return ""
    if not _has_default(f):
        return "**required**"
    value = f.default if f.default is not dataclasses.MISSING else f.default_factory()
    if dataclasses.is_dataclass(value):
        return "its defaults"
    if value is None or value in ((), {}, ""):
        return "nothing"
    return f"`{_cell(json.dumps(value, default=_jsonable))}`"


def _jsonable(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else list(value)


def _type_name(kind: Any) -> str:
    origin = get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_name(member) for member in get_args(kind) if member is not type(None))
    if origin is Literal:
        return " \\| ".join(f"`{choice}`" for choice in get_args(kind))
    if origin is tuple:
        return f"list of {_type_name(get_args(kind)[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"mapping to {_type_name(get_args(kind)[1])}"
    if dataclasses.is_dataclass(kind):
        name = typing.cast(type, kind).__name__
        return f"[{name}](#{name.lower()})"
    return {str: "text", int: "whole number", float: "number", bool: "true/false"}[kind]


def _first_line(kind: Any) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
