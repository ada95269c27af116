"""Calls to the outside at the same time, which Ctrl-C does not wait for: a pool of concurrent.futures joins its threads first."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_Outcome = tuple[int, T | None, BaseException | None]


def together(calls: Iterable[Callable[[], T]], *, at_once: int = 32) -> list[T]:
    """The results in the order of the calls. Raises what the first of the calls raised, in that order."""
    work = list(enumerate(calls))
    todo: queue.SimpleQueue[tuple[int, Callable[[], T]]] = queue.SimpleQueue()
    for item in work:
        todo.put(item)
    done: queue.SimpleQueue[_Outcome[T]] = queue.SimpleQueue()
    for number in range(min(at_once, len(work))):
        threading.Thread(target=_work, args=(todo, done), name=f"together {number}", daemon=True).start()
    outcomes = sorted((done.get() for _ in work), key=lambda outcome: outcome[0])
    for _, _, error in outcomes:
        if error is not None:
            raise error
    return [result for _, result, _ in outcomes]  # type: ignore[misc]


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of a call. Raises what it raises, and TimeoutError when it takes longer: then its thread is left to itself."""
    done: queue.SimpleQueue[_Outcome[T]] = queue.SimpleQueue()
    todo: queue.SimpleQueue[tuple[int, Callable[[], T]]] = queue.SimpleQueue()
    todo.put((0, call))
    threading.Thread(target=_work, args=(todo, done), name="within", daemon=True).start()
    try:
        _, result, error = done.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise TimeoutError(f"no answer in {seconds:.1f} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _work(todo: queue.SimpleQueue[tuple[int, Callable[[], T]]], done: queue.SimpleQueue[_Outcome[T]]) -> None:
    while True:
        try:
            number, call = todo.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((number, call(), None))
        except BaseException as error:  # it is raised again in the thread that waits
            done.put((number, None, error))
