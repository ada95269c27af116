"""Conditions of a CHECK that are understood, written anew from names and values alone: nothing of the release's own text is left in them.

Comparisons of columns, their lengths, numbers and plain strings; BETWEEN, IN, IS NULL; AND, OR, NOT. Whatever else stands there may call
a function, so it is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.delivery.migrations import sql
from pipelines.delivery.migrations.sql import Token
from pipelines.delivery.migrations.words import Words, split

_OPERATORS = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})
_LENGTHS = frozenset({"LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH", "OCTET_LENGTH"})
_NUMBER = re.compile(r"\d+(\.\d+)?")
_VALUES = frozenset({"TRUE", "FALSE"})
_NOT_COLUMNS = frozenset({"NULL", "NOT", "AND", "OR", "CASE", "CAST", "ARRAY", "ROW", "EXISTS", "SELECT", "CURRENT_DATE", "CURRENT_TIME",
                          "CURRENT_TIMESTAMP", "CURRENT_USER", "SESSION_USER", "USER", "LOCALTIME", "LOCALTIMESTAMP", "CURRENT_ROLE",
                          "CURRENT_CATALOG", "CURRENT_SCHEMA"})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Condition:
    """In our words, as SQL; and the columns in it."""

    text: str
    columns: tuple[str, ...]


class _NotUnderstood(Exception):
    """There is something else in it."""


def understand(of: Sequence[Token]) -> Condition | None:
    """The condition in these tokens; None for one that is not understood."""
    reader = _Reader(of)
    try:
        text = reader.either()
    except _NotUnderstood:
        return None
    return Condition(text=text, columns=tuple(dict.fromkeys(reader.columns))) if not reader.words.left else None


class _Reader:
    def __init__(self, of: Sequence[Token]) -> None:
        self.words = Words(of)
        self.columns: list[str] = []

    def either(self) -> str:
        parts = [self._both()]
        while self.words.take("OR"):
            parts.append(self._both())
        return " OR ".join(parts) if len(parts) == 1 else f"({' OR '.join(parts)})"

    def _both(self) -> str:
        parts = [self._single()]
        while self.words.take("AND"):
            parts.append(self._single())
        return " AND ".join(parts) if len(parts) == 1 else f"({' AND '.join(parts)})"

    def _single(self) -> str:
        if self.words.take("NOT"):
            return f"(NOT {self._single()})"
        if self.words.peek("("):
            inner = _Reader(self.words.inside())
            text = inner.either()
            if inner.words.left:
                raise _NotUnderstood
            self.columns += inner.columns
            return f"({text})"
        return f"({self._comparison()})"

    def _comparison(self) -> str:
        left = self._operand()
        if self.words.take("IS", "NOT", "NULL"):
            return f"{left} IS NOT NULL"
        if self.words.take("IS", "NULL"):
            return f"{left} IS NULL"
        negated = "NOT " if self.words.take("NOT") else ""
        if self.words.take("BETWEEN"):
            low = self._operand()
            if not self.words.take("AND"):
                raise _NotUnderstood
            return f"{left} {negated}BETWEEN {low} AND {self._operand()}"
        if self.words.take("IN"):
            listed = [self._value(part) for part in split(self.words.inside())]
            if not listed:
                raise _NotUnderstood
            return f"{left} {negated}IN ({', '.join(listed)})"
        operator = self.words.next()
        if negated or operator is None or operator.text not in _OPERATORS:
            raise _NotUnderstood
        return f"{left} {operator.text} {self._operand()}"

    def _operand(self) -> str:
        if (
            self.words.left
            and self.words.left[0].word in _LENGTHS
            and self.words.left[1:2]
            and self.words.left[1].text == "("
        ):
            function = self.words.next()
            inner = self.words.inside()
            if function is None or len(inner) != 1:
                raise _NotUnderstood
            return f"pg_catalog.{function.text.lower()}({self._column(inner[0])})"
        token = self.words.next()
        if token is None:
            raise _NotUnderstood
        if token.text == "-":
            following = self.words.next()
            return f"-{self._value([following])}" if following and following.kind == "number" else self._fail()
        if token.kind in ("number", "string") or token.word in _VALUES:
            return self._value([token])
        if self.words.peek("(") or self.words.peek("."):
            raise _NotUnderstood
        return self._column(token)

    def _column(self, token: Token) -> str:
        if (
            token.kind not in ("word", "quoted")
            or token.word in _NOT_COLUMNS | _VALUES
            or token.text[:2] in ("U&", "u&")
        ):
            raise _NotUnderstood
        self.columns.append(token.name)
        return sql.quoted(token.name)

    def _value(self, of: Sequence[Token]) -> str:
        """A number, true, false, or a string that has no escapes."""
        if len(of) == 2 and of[0].text == "-" and of[1].kind == "number":
            return f"-{self._value(of[1:])}"
        if len(of) != 1:
            raise _NotUnderstood
        token = of[0]
        if token.word in _VALUES or (token.kind == "number" and _NUMBER.fullmatch(token.text)):
            return token.text
        if token.kind == "string" and token.text.startswith("'"):
            return "'" + token.text[1:-1].replace("''", "'").replace("'", "''") + "'"
        raise _NotUnderstood

    def _fail(self) -> str:
        raise _NotUnderstood
