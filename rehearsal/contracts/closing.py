"""Schemas in which a field that nobody described is an error.

Most providers accept unknown fields silently, so a misspelt one would only show in production. A closed schema is
walked once: objects with described properties take no others, unless they say that they do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.contracts.description import OPEN, Schema

CLOSED = "urn:closed:"
"""A `$ref` to the closed form of a definition is this and its name."""

Lookup = Callable[[str], Schema]


def close(schema: Schema, lookup: Lookup) -> Schema:
    """The schema without room for unknown properties. `lookup` gives a definition (in its open form) by name."""
    if "$ref" in schema:
        return {**schema, "$ref": CLOSED + schema["$ref"].removeprefix(OPEN)}
    merged = _merge_all_of(schema, lookup)
    closed: Schema = {name: _close_keyword(name, value, lookup) for name, value in merged.items()}
    branches = _property_names_of_branches(merged, lookup)
    if "properties" not in merged:
        return closed
    for kind in ("anyOf", "oneOf"):
        if kind in merged:
            # Beside properties, branches only add conditions: closed one by one they would refuse their siblings.
            closed[kind] = merged[kind]
    closed["properties"] = {**{name: {} for name in branches}, **closed["properties"]}
    closed.setdefault("additionalProperties", False)
    return closed


def _close_keyword(name: str, value: Any, lookup: Lookup) -> Any:
    if name == "properties":
        return {key: close(inner, lookup) for key, inner in value.items()}
    if name in ("anyOf", "oneOf"):
        return [close(branch, lookup) for branch in value]
    if name in ("items", "additionalProperties") and isinstance(value, dict):
        return close(value, lookup)
    return value


def _merge_all_of(schema: Schema, lookup: Lookup) -> Schema:
    """`allOf` of objects as one object; left alone (and open) where a branch is something else."""
    if "allOf" not in schema:
        return schema
    parts = [_followed(branch, lookup) for branch in schema["allOf"]]
    if len(parts) == 1 and "properties" not in schema:
        rest = {name: value for name, value in schema.items() if name != "allOf"}
        return {**_merge_all_of(parts[0], lookup), **rest}
    parts = [_merge_all_of(part, lookup) for part in parts]
    if not all("properties" in part for part in parts):
        return schema
    whole = [*parts, {name: value for name, value in schema.items() if name != "allOf"}]
    merged: Schema = {"type": "object", "properties": {}, "required": []}
    for part in whole:
        merged.update({name: value for name, value in part.items() if name not in ("properties", "required", "type")})
        merged["properties"].update(part.get("properties", {}))
        merged["required"] += part.get("required", [])
    return merged


def _followed(schema: Schema, lookup: Lookup) -> Schema:
    """The definition itself where the schema only points at it."""
    reference = schema.get("$ref")
    return schema if reference is None else lookup(reference.removeprefix(OPEN))


def _property_names_of_branches(schema: Schema, lookup: Lookup) -> set[str]:
    names: set[str] = set()
    for kind in ("anyOf", "oneOf"):
        for branch in schema.get(kind, []):
            names |= set(_followed(branch, lookup).get("properties", {}))
    return names
