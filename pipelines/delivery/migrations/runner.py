"""Migrations carried out: one runner at a time, each file whole or not at all, nothing twice.

The address must be of the database itself: the lock belongs to a session, which a transaction-mode pooler does not keep.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.delivery.migrations import files as schema
from pipelines.delivery.migrations.files import Applied, Migration, Phase
from pipelines.errors import ConflictError, CredentialsError, InputError, ProviderError, ProviderUnavailable
from pipelines.faults import Policy

if TYPE_CHECKING:
    import psycopg

TABLE = "schema_migrations"
_LOCK = 7_421_309_114_007  # any number, the same for all runners
_CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    version text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('expand', 'contract')),
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    release text NOT NULL
)"""
_INSERT = f"INSERT INTO {TABLE} (version, name, kind, checksum, release) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608 - a constant
_SELECT = f"SELECT version, name, kind, checksum FROM {TABLE} ORDER BY version"  # noqa: S608 - a constant
_LOCK_TRIES = 5


def run(
    address: str,
    folder: Path,
    *,
    phase: str,
    release: str,
    serving: Iterable[str] | None = None,
    wait: float = 120.0,
    lock_timeout: float = 5.0,
    statement_timeout: float = 900.0,
    policy: Policy | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Apply what is due in a phase; the file names of what was applied. Asked again, it applies nothing.

    `serving` as in `schema.plan`: without it no contract migration runs. `wait`: seconds for another runner to finish;
    `lock_timeout`: how long a statement waits for a table others use (then it gives way, and tries again);
    `statement_timeout`: how long one may run. Raises ConflictError, CredentialsError, InputError, ProviderError, RefusedError.
    """
    files = schema.read(folder)
    policy = policy or Policy()
    with _connected(address, policy) as connection, _alone(connection, wait):
        connection.execute(_CREATE)
        steps = schema.plan(_applied(connection), files, _phase(phase), serving)
        for migration in steps:
            say(f"applying {migration.file}")
            _apply(connection, migration, release, lock_timeout, statement_timeout, policy)
    return [migration.file for migration in steps]


def applied(address: str, *, policy: Policy | None = None) -> list[Applied]:
    """What a database has; nothing when no migration ever ran. Raises CredentialsError, ProviderUnavailable."""
    with _connected(address, policy or Policy()) as connection:
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (TABLE,)).fetchone()
        return _applied(connection) if row and row[0] else []


def applied_contracts(address: str) -> list[str]:
    """File names of the contract migrations a database has."""
    return [row.file for row in applied(address) if row.kind == "contract"]


def _phase(phase: str) -> Phase:
    if phase == "expand":
        return "expand"
    if phase == "contract":
        return "contract"
    raise InputError(f"{phase!r} is no phase of migrations", next_step="one of: expand, contract")


@contextmanager
def _connected(address: str, policy: Policy) -> Iterator[psycopg.Connection[Any]]:
    import psycopg

    connection = _connect(address, policy)
    try:
        yield connection
    except psycopg.OperationalError as error:
        raise ProviderUnavailable(
            f"the connection was lost: {_said(error)}",
            where="Postgres",
            why="the database restarted, or ended the session",
            next_step="run the same command again: what was applied is not applied twice",
        ) from error
    finally:
        connection.close()


def _connect(address: str, policy: Policy) -> psycopg.Connection[Any]:
    import psycopg

    for attempt in range(policy.tries):
        try:
            return psycopg.connect(address, autocommit=True, connect_timeout=10, application_name="shipmate migrate")
        except psycopg.OperationalError as error:
            said = _said(error)
            if any(sign in said for sign in ("authentication", "password", "does not exist", "permission")):
                raise CredentialsError(
                    f"Postgres refuses the connection: {said}",
                    where="Postgres",
                    why="the secret with the address of the migrations is wrong or out of date",
                    next_step="put a right one into Secret Manager, and its version number into `database_secret`",
                ) from error
            if attempt + 1 == policy.tries:
                raise ProviderUnavailable(
                    f"no connection after {policy.tries} tries: {said}",
                    where="Postgres",
                    why="the database is down, or does not let this machine in",
                    next_step="look at its status page, then run this again",
                ) from error
            policy.sleep(policy.pause(attempt, None))
    raise AssertionError("unreachable: the loop returns or raises")


@contextmanager
def _alone(connection: psycopg.Connection[Any], wait: float) -> Iterator[None]:
    """Hold the lock that every runner takes. A runner that was killed lost its own with its session."""
    deadline = time.monotonic() + wait
    while not _locked(connection):
        if time.monotonic() >= deadline:
            raise ConflictError(
                f"another run has been migrating this database for more than {wait:g} s",
                where="Postgres",
                why=_holder(connection),
                next_step="wait for it, or end it; then run this again",
            )
        time.sleep(0.1)
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _locked(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    return bool(row and row[0])


def _holder(connection: psycopg.Connection[Any]) -> str:
    asked = connection.execute(
        "SELECT a.pid, a.client_addr, a.state, a.backend_start FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
        "WHERE l.locktype = 'advisory' AND l.granted AND (l.classid::bigint << 32) + l.objid::bigint = %s",
        (_LOCK,),
    ).fetchone()
    return (
        f"process {asked[0]} from {asked[1] or 'this machine'}, {asked[2]}, since {asked[3]:%H:%M:%S}" if asked else ""
    )


def _applied(connection: psycopg.Connection[Any]) -> list[Applied]:
    rows = connection.execute(_SELECT).fetchall()
    return [Applied(version=version, name=name, kind=kind, checksum=checksum) for version, name, kind, checksum in rows]


def _apply(
    connection: psycopg.Connection[Any],
    migration: Migration,
    release: str,
    lock_timeout: float,
    statement_timeout: float,
    policy: Policy,
) -> None:
    """One migration. While a table is in use it gives way, so that it never makes the application wait for long."""
    import psycopg

    connection.execute(f"SET lock_timeout = {int(lock_timeout * 1000)}")
    connection.execute(f"SET statement_timeout = {int(statement_timeout * 1000)}")
    for attempt in range(_LOCK_TRIES):
        try:
            _execute(connection, migration, release)
            return
        except psycopg.errors.LockNotAvailable as error:
            if attempt + 1 == _LOCK_TRIES:
                raise ConflictError(
                    f"{migration.file} could not lock what it changes, {_LOCK_TRIES} times",
                    where=migration.file,
                    why="a long transaction holds the table (pg_stat_activity shows it)",
                    next_step="end it or wait for it, then run this again: nothing of the file was applied",
                ) from error
            policy.sleep(policy.pause(attempt, None))
        except psycopg.Error as error:
            if connection.broken:
                raise
            raise _failure(error, migration) from error


def _execute(connection: psycopg.Connection[Any], migration: Migration, release: str) -> None:
    row = (migration.version, migration.name, migration.kind, migration.checksum, release)
    if migration.alone:
        # Killed in between, the next run executes all parts again: each must be safe to repeat.
        for part in migration.parts():
            connection.execute(part.encode())
        connection.execute(_INSERT, row)
        return
    with connection.transaction():
        connection.execute(migration.sql.encode())
        connection.execute(_INSERT, row)


def _failure(error: psycopg.Error, migration: Migration) -> ProviderError:
    position = error.diag.statement_position
    line = migration.sql[: int(position)].count("\n") + 1 if position and not migration.alone else 0
    partly = "parts before it were applied" if migration.alone else "nothing of the file was applied"
    return ProviderError(
        f"Postgres refuses {migration.file}: {_said(error)}",
        where=f"{migration.file}:{line}" if line else migration.file,
        why=" ".join(part for part in (error.diag.message_detail, error.diag.message_hint) if part),
        next_step=f"mend the migration ({partly}, and no later one ran), then release again",
    )


def _said(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())[:300]
