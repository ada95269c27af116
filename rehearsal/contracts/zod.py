"""zod schemas, as an SDK generator writes them, as JSON Schema.

Only the types are taken. The SDK itself is lenient (it fills in what an answer lacks), which is of no use for a check:
here a property that is not marked optional is required.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rehearsal.contracts import javascript
from rehearsal.contracts.description import OPEN, Schema
from rehearsal.contracts.javascript import Arrow, Call, Member, Name

Resolve = Callable[[str], Any]
"""Gives the expression of an exported constant by its name."""

_SCHEMA_NAME = re.compile(r".*\$(in|out)boundSchema$")
_PRIMITIVES: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    # Seconds or milliseconds as a number, or ISO 8601.
    "date": {"type": ["string", "number"]},
    "any": {},
    "unknown": {},
    "void": {},
    "instanceof": {},
    # An open enumeration: the SDK takes values that were added since.
    "inboundSchema": {"type": "string"},
    "outboundSchema": {"type": "string"},
    "inboundSchemaInt": {"type": "integer"},
    "outboundSchemaInt": {"type": "integer"},
}
# Refinements of a value that do not change which JSON stands for it.
_TRANSPARENT = ("transform", "pipe", "int", "refine", "superRefine", "describe")


def schema_of(node: Any, resolve: Resolve, *, outbound: bool) -> Schema:
    """The JSON Schema of a zod expression.

    `outbound` schemas rename properties on their way out, and the renamed ones are on the wire; inbound ones are
    written with the names on the wire. Raises ValueError for a construct that is not known.
    """
    return _Converter(resolve, outbound).convert(node)[0]


class _Converter:
    """Every method returns the schema, and whether the property that holds the value may be left out."""

    def __init__(self, resolve: Resolve, outbound: bool) -> None:
        self._resolve = resolve
        self._outbound = outbound

    def convert(self, node: Any) -> tuple[Schema, bool]:
        if isinstance(node, Name):
            return _reference(node.text), False
        if not isinstance(node, Call):
            raise ValueError(f"not a zod schema: {node!r}")
        function, arguments = node.function, node.arguments
        if isinstance(function, Member) and not _is_library(function.on):
            return self._refined(function.on, function.name, arguments)
        return self._constructed(function.name if isinstance(function, Member) else function.text, arguments)

    def _schema(self, node: Any) -> Schema:
        return self.convert(node)[0]

    def _refined(self, on: Any, method: str, arguments: tuple[Any, ...]) -> tuple[Schema, bool]:
        schema, optional = self.convert(on)
        if method in ("optional", "default"):
            return schema, True
        if method == "nullable":
            return _or_null(schema), optional
        if method == "catchall":
            return {**schema, "additionalProperties": self._schema(arguments[0])}, optional
        if method == "and":
            return {"allOf": [schema, self._schema(arguments[0])]}, optional
        if method == "transform" and self._outbound:
            return _renamed(schema, _remapped(arguments[0])), optional
        if method in _TRANSPARENT:
            return schema, optional
        raise ValueError(f"unknown zod refinement: {method}")

    def _constructed(self, name: str, arguments: tuple[Any, ...]) -> tuple[Schema, bool]:
        if name in _PRIMITIVES:
            return dict(_PRIMITIVES[name]), name in ("any", "unknown")
        if not arguments:
            raise ValueError(f"unknown zod constructor: {name}")
        first = arguments[0]
        if name == "optional":
            return self._schema(first), True
        if name in ("lazy", "collectExtraKeys$", "nullable"):
            schema, optional = self.convert(first.body if name == "lazy" else first)
            return _or_null(schema) if name == "nullable" else schema, optional
        return self._compound(name, first, arguments[-1]), False

    def _compound(self, name: str, first: Any, last: Any) -> Schema:
        if name == "object":
            return self._object(first)
        if name == "array":
            return {"type": "array", "items": self._schema(first)}
        if name == "record":
            return {"type": "object", "additionalProperties": self._schema(last)}
        if name in ("union", "smartUnion"):
            return {"anyOf": [self._schema(option) for option in first]}
        if name == "discriminatedUnion":
            return {"anyOf": [self._schema(option) for option in last.values()]}
        if name == "nativeEnum":
            return {"enum": list(self._resolve(first.text).values())}
        if name == "literal":
            return {"const": first}
        raise ValueError(f"unknown zod constructor: {name}")

    def _object(self, members: dict[str, Any]) -> Schema:
        converted = {name: self.convert(member) for name, member in members.items()}
        schema: Schema = {"type": "object", "properties": {name: inner for name, (inner, _) in converted.items()}}
        required = [name for name, (_, optional) in converted.items() if not optional]
        return {**schema, "required": required} if required else schema


def _is_library(node: Any) -> bool:
    return isinstance(node, Name) and node.text.rstrip("$") in ("z", "types", "openEnums", "b64")


def _reference(name: str) -> Schema:
    if not _SCHEMA_NAME.fullmatch(name):
        raise ValueError(f"not the name of a schema: {name}")
    return {"$ref": OPEN + name}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _remapped(function: Any) -> dict[str, str]:
    """{name in the object: name on the wire} of `.transform((v) => { return remap$(v, {...}); })`."""
    text = function.body if isinstance(function, Arrow) and isinstance(function.body, str) else ""
    call = re.search(r"remap\$?\(v, (?=\{)", text)
    if call is None:
        return {}
    names: dict[str, str] = javascript.read(text, call.end())
    return names


def _renamed(schema: Schema, names: dict[str, str]) -> Schema:
    if not names:
        return schema
    properties = {names.get(name, name): inner for name, inner in schema["properties"].items()}
    required = [names.get(name, name) for name in schema.get("required", [])]
    return {**schema, "properties": properties, **({"required": required} if required else {})}
