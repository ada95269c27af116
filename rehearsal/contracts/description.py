"""One neutral form for every provider's description: operations, and JSON Schema (2020-12) definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]

OPEN = "urn:open:"
"""A `$ref` to a definition as the provider published it is this and its name."""


@dataclass(frozen=True, kw_only=True)
class OperationDescription:
    """What the provider says of one method on one path."""

    method: str
    path: str
    """Template as published: `/repos/{owner}/{repo}`."""
    pattern: str
    """Regular expression for the raw (still percent-encoded) path."""
    query: dict[str, Schema] = field(default_factory=dict)
    query_required: tuple[str, ...] = ()
    request: Schema | None = None
    """Of the JSON body; None when it takes none, or takes bytes."""
    request_required: bool = False
    takes_bytes: bool = False
    answers: dict[str, Schema | None] = field(default_factory=dict)
    """By status ("200", "4XX", "default"); None where no JSON body is described."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """A whole interface."""

    operations: tuple[OperationDescription, ...]
    definitions: dict[str, Schema]


def path_pattern(template: str, *, spanning: frozenset[str] = frozenset(), parameter: str = "[^/]+") -> str:
    """A regular expression for a path template; parameters named in `spanning` may hold slashes."""
    parts = re.split(r"\{\+?([^}]+)\}", template)
    pieces = [re.escape(parts[0])]
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        pieces.append(".+" if name in spanning else parameter)
        pieces.append(re.escape(literal))
    return "".join(pieces)


def references(schema: Any) -> Iterator[str]:
    """Every `$ref` inside a schema."""
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str):
            yield target
        for name, value in schema.items():
            # An enum or a const holds data, in which a "$ref" would be only a word.
            if name not in ("enum", "const"):
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)
