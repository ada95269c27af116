"""Values of GitHub's expression language: how they become numbers, strings and truth, and how they compare.

Rules as documented at https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

Value = Any
"""None, bool, int or float, str, list or dict (keys are looked up without regard to case)."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_RADIX = {"0x": 16, "0o": 8}


class Filtered(list[Any]):
    """What `*` yields: further property access goes to each item."""


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def truthy(value: Value) -> bool:
    """False, 0, NaN, the empty string and null are false; every list and object is true."""
    if value is None or value is False:
        return False
    if is_number(value):
        return not (value == 0 or math.isnan(value))
    return value != "" if isinstance(value, str) else True


def to_number(value: Value) -> float:
    """null and '' are 0, true is 1, other strings as a number or NaN, lists and objects NaN."""
    if value is None:
        return 0.0
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if is_number(value):
        return float(value)
    return parse_number(value) if isinstance(value, str) else math.nan


def parse_number(text: str) -> float:
    """A number as the language writes it (decimal, exponent, 0x, 0o, Infinity), else NaN."""
    text = text.strip()
    if not text:
        return 0.0
    if _NUMBER.fullmatch(text):
        return float(text)
    if text[:2] in _RADIX:
        try:
            return float(int(text[2:], _RADIX[text[:2]]))
        except ValueError:
            return math.nan
    return {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}.get(text, math.nan)


def to_string(value: Value) -> str:
    """As a value appears inside text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return number_text(float(value))
    if isinstance(value, str):
        return value
    return "Array" if isinstance(value, list) else "Object"


def number_text(number: float) -> str:
    """As GitHub's own engine writes numbers: at most 15 decimals, no trailing zeros, exponents from 1e21 and below 1e-6."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    number = round(number, 15)
    if number == 0:
        return "0"
    if 1e-6 <= abs(number) < 1e21:
        text = format(Decimal(repr(number)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = repr(number).partition("e")
    return f"{mantissa.removesuffix('.0')}e{'-' if exponent[0] == '-' else '+'}{exponent[1:].lstrip('0')}"


def equal(left: Value, right: Value) -> bool:
    """Loose equality: strings without regard to case, different types as numbers, containers by identity."""
    left, right = _same_kind(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() == right.upper()
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return left is right
    return bool(left == right)


def less(left: Value, right: Value) -> bool:
    """`left < right` in the language's order; anything that does not compare is False."""
    left, right = _same_kind(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() < right.upper()
    if isinstance(left, list | dict) or isinstance(right, list | dict) or left is None or right is None:
        return False
    return bool(left < right)


def _same_kind(left: Value, right: Value) -> tuple[Value, Value]:
    if _kind(left) == _kind(right):
        return left, right
    return to_number(left), to_number(right)


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    return type(value).__name__ if not isinstance(value, list) else "list"


def lookup(container: Value, key: Value) -> Value:
    """`container[key]`; what is not there is null, never an error."""
    if isinstance(container, Filtered):
        return Filtered(found for item in container if (found := lookup(item, key)) is not None)
    if isinstance(container, dict):
        return _member(container, to_string(key))
    if isinstance(container, list):
        index = to_number(key)
        return container[int(index)] if not math.isnan(index) and 0 <= index < len(container) else None
    return None


def _member(container: dict[str, Any], key: str) -> Value:
    if key in container:
        return container[key]
    wanted = key.upper()
    return next((value for name, value in container.items() if name.upper() == wanted), None)


def spread(container: Value) -> Filtered:
    """`container.*`: the items of a list, the values of an object; of a filtered list, those of each item."""
    if isinstance(container, Filtered):
        return Filtered(inner for item in container for inner in spread(item))
    if isinstance(container, dict):
        return Filtered(container.values())
    return Filtered(container if isinstance(container, list) else ())


def to_json(value: Value) -> str:
    """JSON with two blanks of indentation, whole numbers without a fraction."""
    return json.dumps(_whole_numbers(value), indent=2, ensure_ascii=False)


def _whole_numbers(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _whole_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(inner) for inner in value]
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    return value
