"""GitHub's expression language: values of expressions, text with `${{ }}`, conditions.

Only what the runner itself must decide is evaluated here (a job's `if`, names, matrix, environment, concurrency);
everything inside steps is evaluated by act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.runner.functions import FUNCTIONS, ExpressionError
from rehearsal.runner.syntax import Node, parse
from rehearsal.runner.values import Value, equal, less, lookup, spread, to_string, truthy

_STATUS = frozenset({"success", "failure", "always", "cancelled"})


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What an expression can see: contexts by name, and the answers of the status functions."""

    contexts: Mapping[str, Value] = field(default_factory=dict)
    status: Mapping[str, bool] = field(default_factory=dict)
    """success, failure, cancelled; `always` is always true."""


def evaluate(text: str, scope: Scope) -> Value:
    """The value of one expression, without `${{ }}`. Raises ExpressionError with the text and the place."""
    return _value(parse(text), scope)


def interpolate(text: Value, scope: Scope) -> Value:
    """A value of the workflow file with its `${{ }}` filled in; a lone expression keeps its type."""
    if not isinstance(text, str) or "${{" not in text:
        return text
    parts = split(text)
    if len(parts) == 1:
        return evaluate(parts[0][1], scope)
    return "".join(to_string(evaluate(part, scope)) if kind == "expression" else part for kind, part in parts)


def interpolate_all(value: Value, scope: Scope) -> Value:
    """`interpolate` through lists and objects, keys included."""
    if isinstance(value, dict):
        return {to_string(interpolate(key, scope)): interpolate_all(inner, scope) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolate_all(inner, scope) for inner in value]
    return interpolate(value, scope)


def condition(text: Value, scope: Scope) -> bool:
    """The verdict of an `if:`; where it names no status function, `success()` is implied, as on GitHub."""
    if text is None or text == "":
        return bool(scope.status.get("success", True))
    if not isinstance(text, str):
        return truthy(text) and bool(scope.status.get("success", True))
    expressions = [part for kind, part in split(text) if kind == "expression"] if "${{" in text else [text]
    if not any(names_status(expression) for expression in expressions) and not scope.status.get("success", True):
        return False
    return truthy(interpolate(text, scope) if "${{" in text else evaluate(text, scope))


def names_status(text: str) -> bool:
    """Whether an expression calls success, failure, always or cancelled."""
    return _calls_status(parse(text))


def split(text: str) -> list[tuple[str, str]]:
    """Text as ("text" | "expression", part) pairs. Raises ExpressionError for `${{` without its end."""
    parts: list[tuple[str, str]] = []
    position = 0
    while (start := text.find("${{", position)) >= 0:
        end = _expression_end(text, start + 3)
        if start > position:
            parts.append(("text", text[position:start]))
        parts.append(("expression", text[start + 3 : end].strip()))
        position = end + 2
    if position < len(text):
        parts.append(("text", text[position:]))
    return parts


def _expression_end(text: str, position: int) -> int:
    """Index of the `}}` that is not inside a quoted string."""
    quoted = False
    while position < len(text):
        if text[position] == "'":
            quoted = not quoted
        elif not quoted and text.startswith("}}", position):
            return position
        position += 1
    raise ExpressionError(f"unclosed expression: {text!r} has `${{{{` without `}}}}`")


def _value(node: Node, scope: Scope) -> Value:
    kind = node[0]
    if kind == "literal":
        return node[1]
    if kind == "context":
        return _context(node[1], scope)
    if kind == "index":
        return lookup(_value(node[1], scope), _value(node[2], scope))
    if kind == "*":
        return spread(_value(node[1], scope))
    if kind == "call":
        return _call(node, scope)
    if kind == "!":
        return not truthy(_value(node[1], scope))
    return _operation(kind, node[1], node[2], scope)


def _operation(sign: str, first: Node, second: Node, scope: Scope) -> Value:
    left = _value(first, scope)
    if sign in ("&&", "||"):
        return _value(second, scope) if truthy(left) == (sign == "&&") else left
    right = _value(second, scope)
    if sign in ("==", "!="):
        return equal(left, right) == (sign == "==")
    below, above = less(left, right), less(right, left)
    return {"<": below, ">": above, "<=": below or equal(left, right), ">=": above or equal(left, right)}[sign]


def _context(name: str, scope: Scope) -> Value:
    for known, value in scope.contexts.items():
        if known.lower() == name.lower():
            return value
    available = ", ".join(sorted(scope.contexts)) or "none"
    raise ExpressionError(f"unrecognized named-value: '{name}' (available here: {available})")


def _call(node: Node, scope: Scope) -> Value:
    _, name, arguments, written = node
    if name in _STATUS:
        if not scope.status and name != "always":
            raise ExpressionError(f"{written}() is not available here, only in an `if:`")
        return True if name == "always" else scope.status[name]
    if name == "case":
        return _case(arguments, scope)
    if name not in FUNCTIONS:
        raise ExpressionError(f"unrecognized function: '{written}'")
    return FUNCTIONS[name](*(_value(argument, scope) for argument in arguments))


def _case(arguments: tuple[Node, ...], scope: Scope) -> Value:
    if len(arguments) < 3 or len(arguments) % 2 == 0:
        raise ExpressionError("case() takes pairs of a condition and a value, and a default")
    for index in range(0, len(arguments) - 1, 2):
        predicate = _value(arguments[index], scope)
        if not isinstance(predicate, bool):
            raise ExpressionError(f"case() predicate {to_string(predicate)!r} is not a boolean")
        if predicate:
            return _value(arguments[index + 1], scope)
    return _value(arguments[-1], scope)


def _calls_status(node: Any) -> bool:
    if not isinstance(node, tuple):
        return False
    if node and node[0] == "call" and node[1] in _STATUS:
        return True
    return any(_calls_status(inner) for inner in node if isinstance(inner, tuple))
