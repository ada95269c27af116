"""The pool of PostgreSQL connections, and what "the database is usable" means."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from psycopg import AsyncConnection, OperationalError, errors
from psycopg.abc import PQGen
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

SCHEMA = 2
"""Number of the last migration that this code needs. Later expand migrations do it no harm."""

_PROBE = """
    SELECT n.id, n.body, n.created_at, n.summary, e.model, e.embedding
    FROM notes AS n LEFT JOIN note_embeddings AS e ON e.note_id = n.id LIMIT 0
"""
# What PostgreSQL says when it is not there for us right now: worth another try, and no fault of the request.
_AWAY = (OperationalError, PoolTimeout, TimeoutError)

_T = TypeVar("_T")


@dataclass
class QueryTime:
    """What a request waited for PostgreSQL, in seconds; not for a connection of the pool."""

    seconds: float = 0.0
    round_trips: int = 0


_counted: ContextVar[QueryTime | None] = ContextVar("query_time", default=None)


@contextmanager
def query_time() -> Iterator[QueryTime]:
    """Count what is waited for from here on, in this task and those that it starts."""
    time_of_request = QueryTime()
    token = _counted.set(time_of_request)
    try:
        yield time_of_request
    finally:
        _counted.reset(token)


class Connection(AsyncConnection[TupleRow]):
    """One that counts its waiting where someone asked for that. BEGIN and COMMIT count like any statement."""

    async def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:  # noqa: ASYNC109 - as psycopg declares it
        """Every exchange with the server comes through here."""
        counted = _counted.get()
        if counted is None:
            return await super().wait(gen, interval, timeout)
        started = time.perf_counter()
        try:
            return await super().wait(gen, interval, timeout)
        finally:
            counted.seconds += time.perf_counter() - started
            counted.round_trips += 1


class DatabaseUnavailableError(Exception):
    """No connection in time, or the connection was lost."""


class SchemaTooOldError(Exception):
    """The database lacks something that migration `SCHEMA` brings."""


class Database:
    """Connections for short statements. Opens in the background: a process starts while its database is away."""

    def __init__(self, url: str, *, size: int = 10, timeout: float = 5.0) -> None:
        self._timeout = timeout
        self._pool = AsyncConnectionPool(
            url,
            connection_class=Connection,
            min_size=1,
            max_size=size,
            timeout=timeout,
            open=False,
            # Poolers in transaction mode, as Supabase and Neon run them, lose prepared statements between queries.
            kwargs={"autocommit": True, "prepare_threshold": None, "connect_timeout": 5},
            check=AsyncConnectionPool.check_connection,
            reconnect_timeout=30,
        )

    async def open(self) -> None:
        """Start connecting; returns at once."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give the connections in use two seconds, then close all."""
        await self._pool.close(timeout=2.0)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit mode, for no longer than the time-out. Raises DatabaseUnavailableError."""
        try:
            async with asyncio.timeout(self._timeout), self._pool.connection(timeout=self._timeout) as connection:
                yield connection
        except _AWAY as error:
            raise DatabaseUnavailableError(f"{type(error).__name__}: {error}") from error

    async def check(self) -> None:
        """Raise DatabaseUnavailableError or SchemaTooOldError unless every query of this code could run."""
        try:
            async with self.connection() as connection:
                await connection.execute(_PROBE)
        except (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedObject) as error:
            text = f"migration {SCHEMA:04d} has not been applied: {error.diag.message_primary}"
            raise SchemaTooOldError(text) from error

    def figures(self) -> dict[str, int]:
        """Connections open, idle and requests waiting for one, right now."""
        stats = self._pool.get_stats()
        names = {"pool_size": "connections", "pool_available": "idle", "requests_waiting": "waiting"}
        return {ours: int(stats.get(theirs, 0)) for theirs, ours in names.items()}
