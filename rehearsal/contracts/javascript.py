"""Reads the expressions of generated JavaScript modules: calls, literals, objects, lists, arrow functions.

Only what code generators write for schemas. No statement, operator or template is understood; what is not understood
raises ValueError, it is never skipped silently.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ARROW = re.compile(r"(?:\(([\w\s,$]*)\)|([\w$]+))\s*=>\s*")
_EXPORT = re.compile(r"^export const ([\w$]+) = ", re.MULTILINE)
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Name:
    """A variable: `Target`, `z`."""

    text: str


@dataclass(frozen=True)
class Member:
    """`on.name`."""

    on: Any
    name: str


@dataclass(frozen=True)
class Call:
    """`function(*arguments)`."""

    function: Any
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Arrow:
    """An arrow function: its expression, or the text of its block."""

    body: Any


def exports(module: str) -> dict[str, Any]:
    """The expression of every `export const` of a module, unread ones left out: call `read` on the text of one."""
    return {match[1]: module[match.end() :] for match in _EXPORT.finditer(module)}


def read(text: str, start: int = 0) -> Any:
    """The expression at `start`. Strings, numbers, lists and objects become Python's own."""
    return _Reader(text, start).expression()


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self._text, self._at = text, at

    def expression(self) -> Any:
        value = self._primary()
        while True:
            if self._take("."):
                value = Member(value, self._match(_NAME, "a name"))
            elif self._peek() == "(":
                value = Call(value, tuple(self._list("(")))
            else:
                return value

    def _primary(self) -> Any:
        self._skip()
        arrow = _ARROW.match(self._text, self._at)
        if arrow:
            self._at = arrow.end()
            return Arrow(self._block() if self._peek() == "{" else self.expression())
        character = self._peek()
        if character == "[":
            return self._list("[")
        if character == "{":
            return self._object()
        if character in "\"'":
            return _unquoted(self._match(_STRING, "a string"))
        if character.isdigit() or character == "-":
            return json.loads(self._match(_NUMBER, "a number"))
        name = self._match(_NAME, "an expression")
        constants = {"true": True, "false": False, "null": None, "undefined": None}
        return constants[name] if name in constants else Name(name)

    def _list(self, opening: str) -> list[Any]:
        self._expect(opening)
        items = []
        while not self._take(_CLOSING[opening]):
            items.append(self.expression())
            self._take(",")
        return items

    def _object(self) -> dict[str, Any]:
        self._expect("{")
        members: dict[str, Any] = {}
        while not self._take("}"):
            quoted = self._peek() in "\"'"
            key = _unquoted(self._match(_STRING, "a key")) if quoted else self._match(_NAME, "a key")
            self._expect(":")
            members[key] = self.expression()
            self._take(",")
        return members

    def _block(self) -> str:
        """The text of a function's block, braces balanced outside of strings."""
        start, depth = self._at, 0
        while True:
            string = _STRING.match(self._text, self._at)
            if string:
                self._at = string.end()
                continue
            character = self._text[self._at]
            depth += {"{": 1, "}": -1}.get(character, 0)
            self._at += 1
            if depth == 0:
                return self._text[start : self._at]

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        if space:
            self._at = space.end()

    def _peek(self) -> str:
        self._skip()
        return self._text[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._take(character):
            raise ValueError(f"expected {character!r} at {self._text[self._at : self._at + 60]!r}")

    def _match(self, pattern: re.Pattern[str], what: str) -> str:
        self._skip()
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"expected {what} at {self._text[self._at : self._at + 60]!r}")
        self._at = match.end()
        return match[0]


def _unquoted(literal: str) -> str:
    if literal[0] == "'":
        literal = '"' + literal[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    text: str = json.loads(literal)
    return text
