"""The grammar of GitHub's expression language: text to a tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.values import Value, parse_number

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:[+-]?(?:0x[0-9a-fA-F]+|0o[0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity))|NaN)(?![\w-])
    | (?P<string>'(?:[^']|'')*')
    | (?P<name>[A-Za-z_][A-Za-z0-9_-]*)
    | (?P<sign>&&|\|\||==|!=|<=|>=|[!<>()\[\].,*])
    )""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "null": None}

Node = tuple[Any, ...]
"""("literal", value) · ("context", name) · ("index", of, key) · ("*", of) · ("!", of) · ("call", lower-case name, arguments,
name as written) · (operator, left, right)"""


@lru_cache(maxsize=2048)
def parse(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError naming the place."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.position = 0

    def whole(self) -> Node:
        tree = self.either()
        if self.peek() is not None:
            raise self.unexpected()
        return tree

    def either(self) -> Node:
        return self.chain(("||",), self.both)

    def both(self) -> Node:
        return self.chain(("&&",), self.equality)

    def equality(self) -> Node:
        return self.chain(("==", "!="), self.relation)

    def relation(self) -> Node:
        return self.chain(("<", "<=", ">", ">="), self.unary)

    def chain(self, signs: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        tree = operand()
        while (token := self.peek()) is not None and token[0] == "sign" and token[1] in signs:
            self.position += 1
            tree = (token[1], tree, operand())
        return tree

    def unary(self) -> Node:
        if self.take("!"):
            return ("!", self.unary())
        return self.postfix(self.primary())

    def postfix(self, tree: Node) -> Node:
        while True:
            if self.take("."):
                tree = ("*", tree) if self.take("*") else ("index", tree, ("literal", self.name()))
            elif self.take("["):
                tree = ("*", tree) if self.take("*") else ("index", tree, self.either())
                self.expect("]")
            else:
                return tree

    def primary(self) -> Node:
        token = self.peek()
        if token is None:
            raise ExpressionError(f"unexpected end of expression: {self.text!r}")
        self.position += 1
        kind, text = token
        if kind in ("number", "string"):
            return self.literal(parse_number(text) if kind == "number" else text[1:-1].replace("''", "'"))
        if kind == "name":
            return self.named(text)
        if text == "(":
            tree = self.either()
            self.expect(")")
            return tree
        self.position -= 1
        raise self.unexpected()

    def named(self, name: str) -> Node:
        if self.take("("):
            return ("call", name.lower(), self.arguments(), name)
        if name in _CONSTANTS:
            return self.literal(_CONSTANTS[name])
        return ("context", name)

    def literal(self, value: Value) -> Node:
        if self.peek() in (("sign", "."), ("sign", "[")):
            raise self.unexpected()
        return ("literal", value)

    def arguments(self) -> tuple[Node, ...]:
        if self.take(")"):
            return ()
        arguments = [self.either()]
        while self.take(","):
            arguments.append(self.either())
        self.expect(")")
        return tuple(arguments)

    def name(self) -> str:
        token = self.peek()
        if token is None or token[0] != "name":
            raise self.unexpected()
        self.position += 1
        return token[1]

    def peek(self) -> tuple[str, str] | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, sign: str) -> bool:
        if self.peek() == ("sign", sign):
            self.position += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise self.unexpected()

    def unexpected(self) -> ExpressionError:
        token = self.peek()
        found = f"unexpected `{token[1]}`" if token else "unexpected end"
        return ExpressionError(f"{found} in expression: {self.text!r}")


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ExpressionError(f"unexpected symbol at {text[position:].strip()[:20]!r} in expression: {text!r}")
        after_dot = bool(found) and found[-1] == ("sign", ".")
        kind = "name" if after_dot and match.lastgroup == "number" else match.lastgroup
        found.append((kind, match.group(match.lastgroup)))
        position = match.end()
    return found
