"""Assertions of scenarios. One that fails says what was found instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class ExpectationFailed(AssertionError):
    """An expectation of a scenario that was not met."""


def expect(condition: object, text: str, found: object = "") -> None:
    """Raise ExpectationFailed, with what was found, unless the condition is true."""
    if not condition:
        raise ExpectationFailed(f"{text}{f' (found: {found})' if found != '' else ''}")


def eventually(
    read: Callable[[], T | None],
    what: str,
    *,
    seconds: float,
    every: float = 0.1,
    alive: Callable[[], None] | None = None,
) -> T:
    """The first value of `read` that is neither None nor False. `alive` may raise to end the wait early. Raises ExpectationFailed."""
    deadline = time.monotonic() + seconds
    while True:
        value = read()
        if value is not None and value is not False:
            return value
        if alive is not None:
            alive()
        if time.monotonic() > deadline:
            raise ExpectationFailed(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)
