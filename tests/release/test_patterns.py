"""Every regular expression of the release engine reads a text in a time that grows with its length."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from tests.release.patterns import Used, all_used, hostile

LONG = 24_000
BOUNDED = ("__version__[^",)
"""Patterns that get no more than a line's beginning."""
USED = [used for used in all_used() if not used.pattern.pattern.startswith(BOUNDED)]


def cost(run: Callable[[], None]) -> float:
    """Seconds of this process: what others do beside it costs nothing here."""
    began = time.process_time()
    run()
    return time.process_time() - began


def slow(used: Used, length: int = LONG) -> list[str]:
    """Texts whose sixteenfold length costs more than forty times as much: the square would be 256 times."""
    found = []
    for short, long in zip(hostile(used.pattern, length // 16), hostile(used.pattern, length), strict=True):
        taken = cost(lambda text=long: used.run(text))  # type: ignore[misc]
        if taken > 0.03 and taken > 40 * min(cost(lambda text=short: used.run(text)) for _ in range(3)):  # type: ignore[misc]
            found.append(f"{long[:40]!r}: {taken:.2f} s")
    return found


def test_patterns__are_all_here() -> None:
    assert len(USED) > 80
    assert {"messages._HEADER", "headings._WHOLE", "sources._TAG"} <= {used.name for used in USED}


@pytest.mark.parametrize("pattern", [r"\s*$", r"x[ \t]*[ \t]*y", r"<\w+[^<>]*>"])
def test_patterns__one_that_is_quadratic__is_found(pattern: str) -> None:
    assert slow(Used("planted", re.compile(pattern), "search"), 6_000)


def test_patterns__cost_what_the_length_of_a_text_costs() -> None:
    assert {f"{used.name}.{used.method}": texts for used in USED if (texts := slow(used))} == {}


def test_patterns__a_megabyte__is_read() -> None:
    for used in USED:
        text = next(hostile(used.pattern, 1_000_000))
        assert cost(lambda used=used, text=text: used.run(text)) < 2, f"{used.name}: {text[:40]!r}"  # type: ignore[misc]
