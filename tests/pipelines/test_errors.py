"""Every way to fail has its own exit code, and the docstring lists exactly those."""

import ast
import re
from pathlib import Path

import pytest

from pipelines import errors
from pipelines.errors import ShipmateError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ShipmateError) and kind is not ShipmateError
]


def test_exit_codes_are_unique() -> None:
    codes = [kind.exit_code for kind in KINDS]
    assert len(codes) == len(set(codes))
    assert not {0, 1, 2} & set(codes)


def test_docstring_lists_exactly_the_codes() -> None:
    listed = dict(re.findall(r"^ {4}(\d+) +(\w+)", errors.__doc__ or "", re.MULTILINE))
    assert {code: name for code, name in listed.items() if code not in ("0", "1", "2")} == {
        str(kind.exit_code): kind.__name__ for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS)
def test_text_says_where_what_why_and_next(kind: type[ShipmateError]) -> None:
    text = str(kind("it broke", where="here", why="because", next_step="do this"))
    assert text == "here: it broke\n  why:  because\n  next: do this"


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "file", [f for folder in ("pipelines", "actions") for f in sorted((ROOT / folder).rglob("*.py"))], ids=str
)
def test_every_refusal_says_what_to_do_next(file: Path) -> None:
    names = {kind.__name__ for kind in KINDS}
    silent = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in names
        and not any(keyword.arg == "next_step" for keyword in call.keywords)
    ]
    assert silent == []
