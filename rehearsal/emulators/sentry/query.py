"""Sentry's search language (https://docs.sentry.io/concepts/search/), as far as this world reads it: terms that must all hold."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.emulators.sentry.errors import bad_request

Row = Mapping[str, Any]

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_TERM = re.compile(
    rf"(?P<not>!?)(?P<key>tags\[[^\]\s]+\]|[\w.-]+):(?P<value>{_QUOTED}|\[[^\]]*\]|[^\s()\"]+)(?=\s|$)"
    rf"|(?P<text>{_QUOTED}|[^\s():\"]+)(?=\s|$)"
)
_TAG = re.compile(r"tags\[(?P<name>[^,\]]+)(?:,\s*(?P<type>string|number|boolean))?\]")
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_TITLES = ("span.description", "title")


@dataclass(frozen=True, kw_only=True)
class Term:
    """One condition."""

    key: str
    """Empty for text that a title must hold."""
    value: str
    negated: bool = False

    def holds(self, row: Row) -> bool:
        return self._found(row) != self.negated

    def _found(self, row: Row) -> bool:
        if not self.key:
            return any(_plain(self.value).lower() in str(row.get(name) or "").lower() for name in _TITLES)
        if self.key == "has":
            return lookup(row, self.value) not in (None, "")
        held = lookup(row, self.key)
        if self.value.startswith("["):
            return any(_equal(held, each.strip()) for each in self.value[1:-1].split(","))
        sign = next((sign for sign in _COMPARED if self.value.startswith(sign)), "")
        return _compared(held, sign, self.value[len(sign) :]) if sign else _equal(held, self.value)


def parse(text: str) -> list[Term]:
    """The terms of a query. Raises ApiError (400)."""
    terms, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TERM.match(text, at)
        if match is None or match["text"] == "OR":
            raise _unread(text, at)
        at = match.end()
        if match["text"] not in (None, "AND"):
            terms.append(Term(key="", value=match["text"]))
        elif match["key"]:
            terms.append(Term(key=match["key"], value=match["value"], negated=bool(match["not"])))
    return terms


def lookup(row: Row, field: str) -> Any:
    """What a row has under a field. As at Sentry a name that is none of its own is read as a tag, and is null where there is none."""
    tag = _TAG.fullmatch(field)
    return row.get(tag["name"] if tag else field)


def _unread(text: str, at: int) -> Exception:
    if text[at] in "()" or text.startswith("OR", at):
        return bad_request("This world reads conditions that must all hold: no OR, no parentheses.")
    return bad_request(
        f"Parse error at '{text[max(0, at - 5) : at + 5]}' (column {at + 1}). This is commonly caused by unmatched parentheses. "
        "Enclose any text in double quotes."
    )


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _equal(held: Any, value: str) -> bool:
    wanted = _plain(value)
    if held is None:
        return False
    if isinstance(held, bool):
        return wanted.lower() in (("true", "1") if held else ("false", "0"))
    if isinstance(held, int | float):
        return held == _number(wanted)
    pattern = ".*".join(re.escape(part) for part in wanted.split("*"))
    return re.fullmatch(pattern, str(held), re.DOTALL) is not None


def _compared(held: Any, sign: str, value: str) -> bool:
    if held is None:
        return False
    if isinstance(held, str):
        return _COMPARED[sign](held, _plain(value))
    return _COMPARED[sign](held, _number(value))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise bad_request(f"{text} is not a valid number") from None
