"""Every way to fail has its own exit code, and the docstring lists exactly those."""

import re

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
