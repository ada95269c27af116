"""Every regular expression of the release engine, how it is used, and texts that would make it slow."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
METHODS = frozenset(["match", "fullmatch", "search", "finditer", "findall", "sub", "split"])
_CHARACTERS = " aA0f-_.:#(){}[]<>`~*@/\\!\"'+=&$|,;x1é\t\n\r✨"
_PARSER: Any = importlib.import_module("re._parser")


class Used(NamedTuple):
    """A pattern and a method it is called with."""

    name: str
    pattern: re.Pattern[str]
    method: str

    def run(self, text: str) -> None:
        if self.method == "sub":
            self.pattern.sub("", text)
        elif self.method == "finditer":
            list(self.pattern.finditer(text))
        else:
            getattr(self.pattern, self.method)(text)


def all_used() -> list[Used]:
    """From the source: compiled patterns of modules with every method somebody calls them with, and patterns given to `re` at once."""
    found: list[Used] = []
    for file in sorted((ROOT / "release").rglob("*.py")):
        methods: dict[str, set[str]] = {}
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
                methods.setdefault(node.value.id, set()).add(node.attr)
            if isinstance(node, ast.Call) and (used := _at_once(node, file.stem)) is not None:
                found.append(used)
        parts = file.relative_to(ROOT).with_suffix("").parts
        module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                # One that its module calls by no name is handed on to a function that matches lines with it.
                found += [Used(f"{file.stem}.{name}", value, method) for method in sorted(methods.get(name, {"match"}))]
    return found


def _at_once(call: ast.Call, where: str) -> Used | None:
    """`re.search("…", text)` with a literal."""
    function = call.func
    if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re"):
        return None
    if function.attr not in METHODS or not (call.args and isinstance(call.args[0], ast.Constant)):
        return None
    return Used(f"{where}:{call.lineno}", re.compile(str(call.args[0].value)), function.attr)


def hostile(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Texts in which a part that may repeat does so, up to where nothing can match any more."""
    met: set[tuple[str, str]] = set()
    for before, unit in _pumps(_PARSER.parse(pattern.pattern, pattern.flags), ""):
        if unit and (before, unit) not in met:
            met.add((before, unit))
            times = length // len(unit)
            yield f"{before}{unit * times}\0"
            if before:
                yield f"{(before + unit) * (length // len(before + unit))}\0"
    yield "\n" * length


def _pumps(items: Any, before: str) -> Iterator[tuple[str, str]]:
    for kind, given in items:
        name = str(kind)
        if name.endswith("_REPEAT"):  # also possessive ones
            _, most, inside = given
            if most > 50:
                yield from ((before, unit) for unit in _units(inside))
            yield from _pumps(inside, before)
        elif name == "SUBPATTERN":
            yield from _pumps(given[3], before)
        elif name == "BRANCH":
            for each in given[1]:
                yield from _pumps(each, before)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from _pumps(given[1], before)
        before += _example([(kind, given)])


def _units(items: Any) -> list[str]:
    """What a repeated part may be: a few characters of a set, an example of anything else."""
    if len(items) == 1 and str(items[0][0]) in ("IN", "ANY", "NOT_LITERAL"):
        return [char for char in _CHARACTERS if _is(items[0], char)][:6]
    if len(items) == 1 and str(items[0][0]) == "BRANCH":
        return [_example(each) for each in items[0][1][1]]
    return [_example(items)]


def _example(items: Any) -> str:
    return "".join(map(_shortest, items))


def _shortest(item: tuple[Any, Any]) -> str:
    kind, given = str(item[0]), item[1]
    if kind == "LITERAL":
        return chr(given)
    if kind in ("IN", "ANY", "NOT_LITERAL"):
        return next((char for char in "ax1 -:#(" + _CHARACTERS if _is(item, char)), "")
    if kind.endswith("_REPEAT"):
        return _example(given[2]) * int(given[0])
    if kind == "SUBPATTERN":
        return _example(given[3])
    return _example(given[1][0]) if kind == "BRANCH" else ""


def _is(item: tuple[Any, Any], char: str) -> bool:
    kind, given = str(item[0]), item[1]
    if kind == "ANY":
        return char != "\n"
    if kind == "NOT_LITERAL":
        return char != chr(given)
    return _in_set(given, char)


def _in_set(parts: Sequence[tuple[Any, Any]], char: str) -> bool:
    negated, inside = False, False
    for kind, given in parts:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            inside = inside or ord(char) == given
        elif name == "RANGE":
            inside = inside or given[0] <= ord(char) <= given[1]
        else:
            inside = inside or _of_category(str(given), char)
    return inside != negated


def _of_category(name: str, char: str) -> bool:
    kinds = {"DIGIT": str.isdigit, "SPACE": str.isspace, "WORD": lambda char: char.isalnum() or char == "_"}
    return kinds[name.rpartition("_")[2]](char) != ("_NOT_" in name)
