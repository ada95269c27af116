"""The functions of GitHub's expression language that do not depend on a job's state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from rehearsal.runner.values import Value, equal, to_json, to_string

_FIELD = re.compile(r"\{\{|\}\}|\{(\d+)\}|[{}]")


class ExpressionError(ValueError):
    """An expression that GitHub would refuse; the text names the expression and the place."""


def contains(search: Value, item: Value) -> bool:
    """A list holds an equal item, or a string holds the other, without regard to case."""
    if isinstance(search, list):
        return any(equal(member, item) for member in search)
    if isinstance(search, dict) or isinstance(item, list | dict):
        return False
    return to_string(item).lower() in to_string(search).lower()


def starts_with(text: Value, prefix: Value) -> bool:
    return _primitive(text, prefix) and to_string(text).lower().startswith(to_string(prefix).lower())


def ends_with(text: Value, suffix: Value) -> bool:
    return _primitive(text, suffix) and to_string(text).lower().endswith(to_string(suffix).lower())


def _primitive(*values: Value) -> bool:
    return not any(isinstance(value, list | dict) for value in values)


def format_text(template: Value, *values: Value) -> str:
    """`format('{0} {{x}}', a)`. Raises ExpressionError for a brace that is neither doubled nor a known field."""

    def fill(match: re.Match[str]) -> str:
        text = match.group()
        if text in ("{{", "}}"):
            return text[0]
        if match.group(1) is None:
            raise ExpressionError(f"format(): a single `{text}` in {template!r}; double it to mean the character")
        index = int(match.group(1))
        if index >= len(values):
            raise ExpressionError(f"format(): {template!r} asks for {{{index}}}, but {len(values)} values are given")
        return to_string(values[index])

    return _FIELD.sub(fill, to_string(template))


def join(items: Value, separator: Value = ",") -> str:
    if isinstance(items, list):
        return to_string(separator).join(to_string(item) for item in items)
    return to_string(items) if not isinstance(items, dict) else ""


def from_json(text: Value) -> Value:
    """Raises ExpressionError for text that is not JSON."""
    try:
        return json.loads(to_string(text))
    except json.JSONDecodeError as error:
        raise ExpressionError(f"fromJSON(): {to_string(text)[:80]!r} is not JSON: {error}") from error


def _hash_files(*_patterns: Any) -> Value:
    raise ExpressionError("hashFiles() reads the workspace: it is available in steps, not where a job is decided")


def _counted(name: str, function: Callable[..., Value], least: int, most: int) -> Callable[..., Value]:
    def call(*arguments: Value) -> Value:
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise ExpressionError(f"{name}() takes {wanted} arguments, {len(arguments)} given")
        return function(*arguments)

    return call


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "contains": _counted("contains", contains, 2, 2),
    "startswith": _counted("startsWith", starts_with, 2, 2),
    "endswith": _counted("endsWith", ends_with, 2, 2),
    "format": _counted("format", format_text, 1, 255),
    "join": _counted("join", join, 1, 2),
    "tojson": _counted("toJSON", to_json, 1, 1),
    "fromjson": _counted("fromJSON", from_json, 1, 1),
    "hashfiles": _hash_files,
}
"""Lower-case name -> function. `case` is lazy and lives with the evaluator."""
