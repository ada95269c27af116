"""How long a migration may make others wait: a second connection looks, and cancels what holds them up.

`lock_timeout` bounds how long a statement waits for a lock, but nothing of Postgres bounds how long it then holds it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

EVERY = 0.1
"""Seconds between two looks."""
_WAITING = """
SELECT extract(epoch FROM max(clock_timestamp() - waiting.waitstart))::float
FROM pg_locks AS waiting
WHERE NOT waiting.granted
  AND waiting.waitstart IS NOT NULL
  AND waiting.mode <> 'ShareUpdateExclusiveLock'
  AND %(held)s = ANY (pg_blocking_pids(waiting.pid))
"""
"""The longest that someone has been waiting for what a session holds, or for what it is in the queue for before them. Autovacuum and
others that make indexes ask for the mode that is left out: they are no users."""


@dataclass(kw_only=True)
class Watch:
    """What a watcher saw."""

    waited: float = 0.0
    """Seconds that someone had been waiting when the statement was cancelled; 0 when nobody had."""
    blind: str = ""
    """Why it could look no longer, and cancelled the statement for that."""


@contextmanager
def watching(watcher: psycopg.Connection[Any], worker: psycopg.Connection[Any], *, patience: float) -> Iterator[Watch]:
    """Cancel what `worker` does once others have been waiting for it longer than `patience` seconds, or when nobody can tell.

    Its statement then ends with QueryCanceled, and its transaction with nothing done.
    """
    seen, done, session = Watch(), threading.Event(), worker.info.backend_pid

    def look() -> None:
        import psycopg

        while not done.wait(EVERY):
            try:
                row = watcher.execute(_WAITING, {"held": session}).fetchone()
                waited = float(row[0]) if row and row[0] is not None else 0.0
                if waited > patience and not done.is_set():
                    seen.waited = waited
                    watcher.execute("SELECT pg_cancel_backend(%s)", (session,))
            except psycopg.Error as error:
                seen.blind = str(error).strip() or type(error).__name__
                if not done.is_set():
                    worker.cancel_safe(timeout=5.0)
                return

    thread = threading.Thread(target=look, name="watching locks", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
