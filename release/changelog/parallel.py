"""The text of many sections in two processes: the second half is written in a child, the first meanwhile here.

Each section depends on its own commits alone, and a history of thousands is read long before it is written. A forked child shares what
was read; only its text comes back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
WORTH_IT = 2_000
"""Items below which a second process costs more than it saves."""

_work: list[Callable[[], str]] = []
"""What a child is to write. It is inherited by the fork: sections and templates cannot be pickled."""


def in_two_processes(items: Sequence[T], write: Callable[[Sequence[T]], Iterable[str]]) -> Iterator[str]:
    """The texts `write` gives, in order; those of the second half come as one. Where no child can be had, all is written here."""
    if len(items) < WORTH_IT or not hasattr(os, "fork") or (os.cpu_count() or 1) < 2:
        yield from write(items)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    middle = len(items) // 2
    inherited = (lambda: "".join(write(items[middle:])),)
    with ProcessPoolExecutor(1, get_context("fork"), initializer=_work.append, initargs=inherited) as pool:
        second = pool.submit(_write)
        yield from write(items[:middle])
        if second.exception() is None:
            yield second.result()
            return
    # Whatever ended the child: here it happens again, and is reported as it should be.
    yield from write(items[middle:])


def _write() -> str:
    """In the child."""
    return _work[-1]()
