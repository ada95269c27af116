"""Long work in two processes: the second half in a child, the first meanwhile here.

Each section of a changelog depends on its own commits alone, and a history of thousands is read long before it is written. A forked
child shares what was read; only its text comes back, through a pipe.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
WORTH_IT = 2_000
"""Items below which a second process costs more than it saves."""


def in_halves(items: Sequence[T], write: Callable[[Sequence[T]], Iterable[str]]) -> Iterator[str]:
    """The texts `write` gives, in order; those of the second half come as one. Where no child can be had, all is written here."""
    if len(items) < WORTH_IT or not hasattr(os, "fork") or (os.cpu_count() or 1) < 2:
        yield from write(items)
        return
    middle = len(items) // 2
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(_write_all(writing, items[middle:], write))
    os.close(writing)
    try:
        yield from write(items[:middle])
        with open(reading, "rb", closefd=False) as pipe:
            text = pipe.read()
    finally:
        os.close(reading)
        _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == 0:
        yield text.decode()
    else:
        # Whatever ended it: here it happens again, and is told as it should be.
        yield from write(items[middle:])


def _write_all(pipe: int, items: Sequence[T], write: Callable[[Sequence[T]], Iterable[str]]) -> int:
    """In the child: nothing may leave this function but its exit code. All is made before any is written, for the pipe is short
    and nobody reads it until the first half is done."""
    try:
        text = "".join(write(items)).encode()
        with open(pipe, "wb") as out:
            out.write(text)
    except BaseException:
        return 1
    return 0
