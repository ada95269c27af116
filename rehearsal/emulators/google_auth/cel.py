"""The part of the Common Expression Language that attribute conditions and mappings are written in.

Comparisons, `&&`, `||`, `!`, `in`, `+` of strings, `has()`, members (`assertion.x`, `assertion['x']`), lists, and the methods
startsWith, endsWith, contains and matches. https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

Context = Mapping[str, Any]
"""The variables of an expression: `assertion`, `google`, `attribute`."""

Expression = Callable[[Context], Any]
"""Evaluates in a context. Raises EvaluationError."""

_TOKEN = re.compile(
    r"\s*(?:('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(\d+)|([A-Za-z_]\w*)|(&&|\|\||==|!=|[!()\[\],.+]))"
)
_METHODS: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": lambda text, part: part in text,
    "matches": lambda text, pattern: re.search(pattern, text) is not None,
}
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


class ExpressionInvalid(ValueError):
    """An expression that cannot be read: what is wrong and where."""


class EvaluationError(Exception):
    """An expression that has no value in a context, for example because it asks for a claim that is not there."""


def parse(text: str) -> Expression:
    """Read an expression. Raises ExpressionInvalid, also for parts of the language that are not emulated here."""
    parser = _Parser(text)
    expression = parser.either()
    if parser.kind:
        raise parser.wrong("the end")
    return expression


class _Parser:
    """Recursive descent, one method for each level of precedence, loosest first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.kind = self.value = ""
        self._next()

    def either(self) -> Expression:
        left = self._all()
        while self._took("||"):
            left = _decided(left, self._all(), by=True)
        return left

    def _all(self) -> Expression:
        left = self._relation()
        while self._took("&&"):
            left = _decided(left, self._relation(), by=False)
        return left

    def _relation(self) -> Expression:
        left = self._sum()
        for sign, made in (("==", _equal), ("!=", _unequal), ("in", _within)):
            if self._took(sign):
                return made(left, self._sum())
        return left

    def _sum(self) -> Expression:
        left = self._negation()
        while self._took("+"):
            left = _joined(left, self._negation())
        return left

    def _negation(self) -> Expression:
        if not self._took("!"):
            return self._member()
        inner = self._negation()
        return lambda context: not _truth(inner(context))

    def _member(self) -> Expression:
        expression = self._primary()
        while True:
            if self._took("."):
                name = self._name()
                expression = self._called(expression, name) if self._took("(") else _selected(expression, name)
            elif self._took("["):
                expression = _indexed(expression, self.either())
                self._expect("]")
            else:
                return expression

    def _called(self, target: Expression, name: str) -> Expression:
        if name not in _METHODS:
            raise ExpressionInvalid(f"{name}() is not one of the methods emulated here: {', '.join(_METHODS)}")
        argument = self.either()
        self._expect(")")
        return lambda context: _METHODS[name](_string(target(context)), _string(argument(context)))

    def _primary(self) -> Expression:
        if self._took("("):
            inner = self.either()
            self._expect(")")
            return inner
        if self._took("["):
            return self._list()
        kind, value = self.kind, self.value
        if kind in ("text", "number"):
            self._next()
            literal = ast.literal_eval(value)
            return lambda _: literal
        name = self._name()
        if name == "has" and self._took("("):
            inner = self._member()
            self._expect(")")
            return lambda context: _has(inner, context)
        if name in _WORDS:
            return lambda _: _WORDS[name]
        return lambda context: _variable(context, name)

    def _list(self) -> Expression:
        items: list[Expression] = []
        while not self._took("]"):
            items.append(self.either())
            if not self._took(","):
                self._expect("]")
                break
        return lambda context: [item(context) for item in items]

    def _name(self) -> str:
        if self.kind != "name":
            raise self.wrong("a name or a value")
        name = self.value
        self._next()
        return name

    def _took(self, sign: str) -> bool:
        """Step over a sign or the word `in`, if it stands here."""
        if self.value != sign or self.kind in ("text", "number"):
            return False
        self._next()
        return True

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise self.wrong(f"'{sign}'")

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._position)
        if found is None:
            if self._text[self._position :].strip():
                raise ExpressionInvalid(f"{self._text!r} cannot be read from character {self._position + 1} on")
            self.kind = self.value = ""
            return
        self._position = found.end()
        kinds = ("text", "number", "name", "sign")
        self.kind, self.value = next((kind, part) for kind, part in zip(kinds, found.groups(), strict=True) if part)

    def wrong(self, wanted: str) -> ExpressionInvalid:
        return ExpressionInvalid(f"{self._text!r}: {wanted} is missing before {self.value or 'the end'!r}")


def _decided(left: Expression, right: Expression, *, by: bool) -> Expression:
    """`||` is decided by a true side, `&&` by a false one, whatever the other side is: also when it has no value."""

    def evaluate(context: Context) -> bool:
        failure: EvaluationError | None = None
        for side in (left, right):
            try:
                if _truth(side(context)) is by:
                    return by
            except EvaluationError as error:
                failure = error
        if failure is not None:
            raise failure
        return not by

    return evaluate


def _equal(left: Expression, right: Expression) -> Expression:
    return lambda context: _same(left(context), right(context))


def _unequal(left: Expression, right: Expression) -> Expression:
    return lambda context: not _same(left(context), right(context))


def _same(left: Any, right: Any) -> bool:
    """The text '5' is not the number 5: claims of GitHub that are numbers are written as text."""
    return type(left) is type(right) and bool(left == right)


def _within(left: Expression, right: Expression) -> Expression:
    def evaluate(context: Context) -> bool:
        item, items = left(context), right(context)
        if not isinstance(items, (list, dict)):
            raise EvaluationError("no such overload: 'in' wants a list or a map on its right")
        return any(_same(item, one) for one in items)

    return evaluate


def _joined(left: Expression, right: Expression) -> Expression:
    return lambda context: _string(left(context)) + _string(right(context))


def _selected(target: Expression, name: str) -> Expression:
    return lambda context: _entry(target(context), name)


def _indexed(target: Expression, key: Expression) -> Expression:
    return lambda context: _entry(target(context), key(context))


def _entry(target: Any, key: Any) -> Any:
    if isinstance(target, list) and isinstance(key, int) and 0 <= key < len(target):
        return target[key]
    if not isinstance(target, Mapping) or key not in target:
        raise EvaluationError(f"no such key: {key}")
    return target[key]


def _has(member: Expression, context: Context) -> bool:
    try:
        member(context)
    except EvaluationError:
        return False
    return True


def _variable(context: Context, name: str) -> Any:
    if name not in context:
        raise EvaluationError(f"undeclared reference to '{name}'")
    return context[name]


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise EvaluationError(f"no such overload: {value!r} is neither true nor false")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise EvaluationError(f"no such overload: {value!r} is no string")
    return value
