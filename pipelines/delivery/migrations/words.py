"""The words of a statement, read one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.delivery.migrations.changes import Name
from pipelines.delivery.migrations.sql import Token

_ORDERS = frozenset({"ASC", "DESC", "NULLS", "FIRST", "LAST"})


class Words:
    """Tokens with a place in them."""

    def __init__(self, of: Sequence[Token]) -> None:
        self._tokens = tuple(of)
        self._place = 0

    @property
    def left(self) -> tuple[Token, ...]:
        return self._tokens[self._place :]

    def next(self) -> Token | None:
        if self._place >= len(self._tokens):
            return None
        self._place += 1
        return self._tokens[self._place - 1]

    def peek(self, *words: str) -> bool:
        return tuple(token.word or token.text for token in self.left[: len(words)]) == words

    def take(self, *words: str) -> bool:
        """Go past these words, if they come next."""
        if not self.peek(*words):
            return False
        self._place += len(words)
        return True

    def any(self, *words: str) -> str:
        """Go past one of these words; which, or nothing."""
        return next((word for word in words if self.take(word)), "")

    def flags(self, **asked: str) -> frozenset[str]:
        """Go past each of these texts that comes next; which, by their names: `if_exists="IF EXISTS"` -> `if exists`."""
        return frozenset(flag.replace("_", " ") for flag, text in asked.items() if self.take(*text.split()))

    def has(self, *words: str) -> bool:
        """Whether they come one after the other in what is left, outside of parentheses."""
        flat = [token.word or token.text for token in outside(self.left)]
        return any(tuple(flat[i : i + len(words)]) == words for i in range(len(flat)))

    def name(self) -> Name:
        """A name, with or without its schema."""
        found: list[str] = []
        while (token := self.next()) is not None:
            found.append(token.name)
            if not self.take("."):
                break
        return tuple(found)

    def inside(self) -> tuple[Token, ...]:
        """What is in the parentheses that come next; nothing when none do."""
        if not self.take("("):
            return ()
        depth, begin = 1, self._place
        while depth and (token := self.next()) is not None:
            depth += (token.text == "(") - (token.text == ")")
        return self._tokens[begin : self._place - (0 if depth else 1)]

    def until(self, *ends: str) -> tuple[Token, ...]:
        """Go on to one of these words outside of parentheses, or to the end."""
        begin, depth = self._place, 0
        while self._place < len(self._tokens):
            token = self._tokens[self._place]
            if depth == 0 and token.word in ends:
                break
            depth += (token.text == "(") - (token.text == ")")
            self._place += 1
        return self._tokens[begin : self._place]


def outside(of: Sequence[Token]) -> list[Token]:
    """The tokens that are in no parentheses."""
    found, depth = [], 0
    for token in of:
        depth -= token.text == ")"
        if depth == 0:
            found.append(token)
        depth += token.text == "("
    return found


def split(of: Sequence[Token]) -> list[tuple[Token, ...]]:
    """At the commas that are in no parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in of:
        if token.text == "," and depth == 0:
            parts.append([])
            continue
        depth += (token.text == "(") - (token.text == ")")
        parts[-1].append(token)
    return [tuple(part) for part in parts if part]


def column_names(of: Sequence[Token]) -> tuple[str, ...]:
    """`a, "B", c DESC` -> a, B, c; nothing when one of them is more than a column."""
    found = []
    for part in split(of):
        plain = part[0].kind in ("word", "quoted") and all(token.word in _ORDERS for token in part[1:])
        if not plain:
            return ()
        found.append(part[0].name)
    return tuple(found)
