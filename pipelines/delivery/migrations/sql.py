"""The text of a migration as tokens and statements. Comments, strings, dollar quotes and quoted names are tokens as in Postgres."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipelines.errors import InputError

Kind = Literal["word", "quoted", "string", "number", "sign", "comment"]
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("comment", r"--[^\n]*"),
    ("string", r"[eE]'(?:[^'\\]|\\.|'')*'"),
    ("string", r"(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'"),
    ("quoted", r'(?:[uU]&)?"(?:[^"]|"")*"'),
    ("word", r"[^\W\d][\w$]*"),
    ("number", r"\.?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?"),
    ("sign", r"\$\d+|::|:=|(?:(?!--|/\*)[+\-*/<>=~!@#%^&|`?])+|[^\s\"']"),
)
_TOKEN = re.compile("|".join(f"(?P<k{number}>{pattern})" for number, (_, pattern) in enumerate(_PATTERNS)), re.DOTALL)
_SPACE = re.compile(r"\s*")
_DOLLAR = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_BLOCK = re.compile(r"/\*|\*/")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A piece of the text as it is written, and where it begins; `line` counts from 1."""

    kind: Kind
    text: str
    start: int
    line: int = 1

    @property
    def word(self) -> str:
        """In capitals; empty for what is no word: a quoted name is never a keyword."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """As Postgres stores an identifier: folded to small letters unless it is quoted."""
        return self.text[1:-1].replace('""', '"') if self.kind == "quoted" else self.text.lower()


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The tokens of one statement, at least one, without its comments."""

    tokens: tuple[Token, ...]

    @property
    def line(self) -> int:
        return self.tokens[0].line


def tokens(text: str) -> Iterator[Token]:
    """Every token, comments too. Raises InputError for a string, comment or quoted name without an end."""
    place = _space(text, 0)
    line, counted = 1, 0
    while place < len(text):
        line, counted = line + text.count("\n", counted, place), place
        found = _dollar(text, place) or _block(text, place)
        if found is None:
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise _unfinished(text, place)
            found = Token(kind=_PATTERNS[int(match.lastgroup[1:])][0], text=match[0], start=place)
        yield replace(found, line=line)
        place = _space(text, found.start + len(found.text))


def statements(text: str) -> list[Statement]:
    """What is between the semicolons that end a statement: none in parentheses, and none in a body `BEGIN ATOMIC … END`."""
    found: list[Statement] = []
    current: list[Token] = []
    depth = body = 0
    for token in tokens(text):
        if token.kind == "comment":
            continue
        depth += (token.text == "(") - (token.text == ")")
        body = _body(body, current, token)
        if token.text == ";" and depth <= 0 and not body:
            _end(found, current)
        else:
            current.append(token)
    _end(found, current)
    return found


def line_of(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def written(of: Sequence[Token], text: str) -> str:
    """The text from the first of these tokens to the last."""
    return text[of[0].start : of[-1].start + len(of[-1].text)] if of else ""


def quoted(*names: str) -> str:
    """A name as an identifier that means nothing else, with its schema if there is one."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _end(found: list[Statement], current: list[Token]) -> None:
    if current:
        found.append(Statement(tokens=tuple(current)))
        current.clear()


def _body(depth: int, before: Sequence[Token], token: Token) -> int:
    """How deep in a body of SQL (`BEGIN ATOMIC`) the text is after this token; CASE ends with END as well."""
    if depth == 0:
        return int(token.word == "ATOMIC" and bool(before) and before[-1].word == "BEGIN")
    return depth + (token.word in ("BEGIN", "CASE")) - (token.word == "END")


def _space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _dollar(text: str, place: int) -> Token | None:
    mark = _DOLLAR.match(text, place)
    if mark is None:
        return None
    end = text.find(mark[0], mark.end())
    if end < 0:
        raise _unfinished(text, place)
    return Token(kind="string", text=text[place : end + len(mark[0])], start=place)


def _block(text: str, place: int) -> Token | None:
    """A comment /* … */, which may hold others."""
    if not text.startswith("/*", place):
        return None
    depth = 0
    for mark in _BLOCK.finditer(text, place):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return Token(kind="comment", text=text[place : mark.end()], start=place)
    raise _unfinished(text, place)


def _unfinished(text: str, place: int) -> InputError:
    return InputError(
        f"what begins with {text[place : place + 20].splitlines()[0]!r} does not end",
        where=f"line {line_of(text, place)}",
        why="a string, a comment, a dollar quote or a quoted name lacks its end",
        next_step="close it",
    )
