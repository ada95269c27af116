"""Migrations carried out: one runner at a time, each file whole or not at all, nothing twice, and nobody kept waiting for long.

The address must be of the database itself: the lock belongs to a session, which a transaction-mode pooler does not keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.clock import Clock
from pipelines.delivery.migrations import address as where
from pipelines.delivery.migrations import files as schema
from pipelines.delivery.migrations import indexes
from pipelines.delivery.migrations.files import Applied, Migration, Phase
from pipelines.delivery.migrations.watcher import Watch, watching
from pipelines.errors import (
    ConflictError,
    CredentialsError,
    InputError,
    ProviderError,
    ProviderUnavailable,
    RefusedError,
    ShipmateError,
)
from pipelines.faults import Policy
from pipelines.polling import Polling

if TYPE_CHECKING:
    import psycopg

POLLING = Polling(interval=0.1, growth=1.5, longest=1.0)
"""For the lock that another runner has."""
TABLE = "schema_migrations"
_LOCK = 7_421_309_114_007  # any number, the same for all runners
_CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    version text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('expand', 'contract')),
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    release text NOT NULL,
    superseded_by text,
    reason text
)"""
_LACKS = (
    f"SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '{TABLE}'::regclass AND attname = 'superseded_by')"  # noqa: S608 - a constant
)
_GROW = f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS superseded_by text, ADD COLUMN IF NOT EXISTS reason text"
_COLUMNS = "version, name, kind, checksum, release, superseded_by, reason"
_INSERT = f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s)"  # noqa: S608 - a constant
# A table of an older runner has no such column; as JSON it is simply not there.
_SELECT = f"SELECT version, name, kind, checksum, to_jsonb(m) ->> 'superseded_by' FROM {TABLE} m ORDER BY version"  # noqa: S608 - a constant
_LOCK_TRIES = 5
_BUILD_TRIES = 3
_IDLE = 10.0
"""Seconds after which Postgres ends a transaction whose runner has stopped in the middle of it."""
PATIENCE = 2.0
"""Seconds that someone may wait for what a migration holds."""


def run(
    address: str,
    folder: Path,
    *,
    phase: str,
    release: str,
    serving: Iterable[str] | None = None,
    wait: float = 120.0,
    lock_timeout: float = 1.0,
    statement_timeout: float = 900.0,
    patience: float = PATIENCE,
    policy: Policy | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Apply what is due in a phase; the file names of what was applied. Asked again, it applies nothing.

    `serving` as in `schema.plan`: without it no contract migration runs. `wait`: seconds for another runner to finish;
    `lock_timeout`: how long a statement waits for a table others use (then it gives way, and tries again);
    `statement_timeout`: how long one may run; `patience`: how long others may wait for what one holds (then it is ended).
    Raises ConflictError, CredentialsError, InputError, ProviderError, RefusedError.
    """
    files = schema.read(folder)
    policy = policy or Policy()
    with _connected(address, policy) as connection, _connected(address, policy) as watcher, _alone(connection, wait):
        _prepare(connection, watcher, statement_timeout, patience)
        rows = _applied(connection)
        steps = schema.plan(rows, files, _phase(phase), serving)
        for migration in steps:
            say(f"applying {migration.file}")
            given_up = schema.never_run(rows, files, [migration])
            records = [_record(migration, release), *(_record(each, release, files) for each in given_up)]
            with watching(watcher, connection, patience=patience) as watch:
                _apply(connection, migration, records, lock_timeout, policy, watch)
            rows = _applied(connection)
    return [migration.file for migration in steps]


def pending(
    address: str, folder: Path, *, serving: Iterable[str] | None = None, policy: Policy | None = None
) -> list[Migration]:
    """What `run` would apply in both phases, in its order. Raises as `run` does."""
    files, rows = schema.read(folder), applied(address, policy=policy)
    return [*schema.plan(rows, files, "expand"), *schema.plan(rows, files, "contract", serving)]


def applied(address: str, *, policy: Policy | None = None) -> list[Applied]:
    """What a database has; nothing when no migration ever ran. Raises CredentialsError, ProviderUnavailable."""
    with _connected(address, policy or Policy()) as connection:
        return applied_on(connection)


def applied_on(connection: psycopg.Connection[Any]) -> list[Applied]:
    """`applied` by an open connection. Raises psycopg.Error."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (TABLE,)).fetchone()
    return _applied(connection) if row and row[0] else []


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
            f"the connection was lost: {_message(error)}",
            where="Postgres",
            why="the database restarted, or ended the session",
            next_step="run the same command again: what was applied is not applied twice",
        ) from error
    finally:
        connection.close()


def _connect(address: str, policy: Policy) -> psycopg.Connection[Any]:
    import psycopg

    where.read(address)
    for attempt in range(policy.tries):
        try:
            return psycopg.connect(address, autocommit=True, connect_timeout=10, application_name="shipmate migrate")
        except psycopg.OperationalError as error:
            message = _message(error)
            if any(sign in message for sign in ("authentication", "password", "does not exist", "permission")):
                raise CredentialsError(
                    f"Postgres refuses the connection: {message}",
                    where="Postgres",
                    why="the secret with the address of the migrations is wrong or out of date",
                    next_step="put a right one into Secret Manager, and its version number into `database_secret`",
                ) from error
            if attempt + 1 == policy.tries:
                raise _unreachable(address, f"no connection after {policy.tries} tries: {message}") from error
            policy.sleep(policy.pause(attempt, None))
    raise AssertionError("unreachable: the loop returns or raises")


def _unreachable(address: str, what: str) -> ProviderUnavailable:
    if where.is_ipv6_only(address):
        return ProviderUnavailable(
            what,
            where="Postgres",
            why="its host has addresses of IPv6 only, and GitHub's hosted runners have IPv4 only",
            next_step="name an address with IPv4: at Supabase that of the session pooler (port 5432 of …pooler.supabase.com)",
        )
    return ProviderUnavailable(
        what,
        where="Postgres",
        why="the database is down, or does not let this machine in",
        next_step="look at its status page, then run this again",
    )


@contextmanager
def _alone(connection: psycopg.Connection[Any], wait: float) -> Iterator[None]:
    """Hold the lock that every runner takes. A runner that was killed lost its own with its session."""
    clock = Clock()
    for look in POLLING.looks(clock, clock.deadline(wait)):
        if _locked(connection):
            break
        if look.last:
            raise ConflictError(
                f"another run has been migrating this database for more than {wait:g} s",
                where="Postgres",
                why=_holder(connection),
                next_step="wait for it, or end it; then run this again",
            )
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
    return [
        Applied(version=version, name=name, kind=kind, checksum=checksum, superseded_by=by or "")
        for version, name, kind, checksum, by in rows
    ]


def _prepare(
    connection: psycopg.Connection[Any], watcher: psycopg.Connection[Any], statement_timeout: float, patience: float
) -> None:
    """The table of what was applied, and the bounds of both sessions."""
    import psycopg

    connection.execute("SET client_min_messages = warning")
    connection.execute(_CREATE)
    lacks = connection.execute(_LACKS).fetchone()
    if lacks and lacks[0]:
        connection.execute(_GROW)
    connection.execute(f"SET statement_timeout = {int(statement_timeout * 1000)}")
    connection.execute(f"SET idle_in_transaction_session_timeout = {int(_IDLE * 1000)}")
    watcher.execute(f"SET statement_timeout = {int(patience * 1000)}")
    # Where the server can tell that a client is gone, the locks of a killed runner go with it.
    with suppress(psycopg.errors.InvalidParameterValue):
        connection.execute("SET client_connection_check_interval = 1000")


def _record(migration: Migration, release: str, files: Iterable[Migration] = ()) -> tuple[str | None, ...]:
    """The row of a migration; with `files`, of one that another of them took the place of."""
    by, why = schema.superseded(files).get(migration.version, (None, None))
    return (migration.version, migration.name, migration.kind, migration.checksum, release, by, why)


def _apply(
    connection: psycopg.Connection[Any],
    migration: Migration,
    records: list[tuple[str | None, ...]],
    lock_timeout: float,
    policy: Policy,
    watch: Watch,
) -> None:
    """One migration. While a table is in use it gives way, so that it never makes the application wait for long."""
    import psycopg

    for attempt in range(_LOCK_TRIES):
        try:
            _execute(connection, migration, records, lock_timeout)
            return
        except psycopg.errors.LockNotAvailable as error:
            if attempt + 1 == _LOCK_TRIES:
                raise ConflictError(
                    f"{migration.file} could not lock what it changes, {_LOCK_TRIES} times",
                    where=migration.file,
                    why="a long transaction holds the table (pg_stat_activity shows it)",
                    next_step=f"end it or wait for it, then run this again: {_left(migration)}",
                ) from error
            policy.sleep(policy.pause(attempt, None))
        except psycopg.errors.QueryCanceled as error:
            raise _cancelled(migration, watch) or _failure(error, migration) from error
        except psycopg.Error as error:
            if connection.broken:
                raise
            raise _failure(error, migration) from error


def _execute(
    connection: psycopg.Connection[Any],
    migration: Migration,
    records: list[tuple[str | None, ...]],
    lock_timeout: float,
) -> None:
    connection.execute(f"SET lock_timeout = {int(lock_timeout * 1000)}")
    if migration.alone:
        # Killed in between, the next run executes all parts again: each must be safe to repeat.
        for part in migration.parts():
            index = indexes.made_by(part)
            if index is None:
                connection.execute(part.encode())
            else:
                _build(connection, index, part, migration, lock_timeout)
        with connection.transaction():
            connection.cursor().executemany(_INSERT, records)
        return
    with connection.transaction():
        connection.execute(migration.sql.encode())
        connection.cursor().executemany(_INSERT, records)


def _build(
    connection: psycopg.Connection[Any], index: indexes.Index, part: str, migration: Migration, lock_timeout: float
) -> None:
    """An index CONCURRENTLY, until it is valid. What a failed try left behind, ours or that of a killed run, is dropped."""
    import psycopg

    # It waits for every older transaction, and blocks nobody meanwhile: `statement_timeout` bounds it.
    connection.execute("SET lock_timeout = 0")
    for attempt in range(_BUILD_TRIES):
        indexes.drop_invalid(connection, index)
        try:
            if not indexes.valid(connection, index):
                connection.execute(part.encode())
        except psycopg.errors.DeadlockDetected:
            if attempt + 1 == _BUILD_TRIES:
                indexes.drop_invalid(connection, index)
                raise
            continue
        except psycopg.Error:
            if not connection.broken:
                indexes.drop_invalid(connection, index)
            raise
        if indexes.valid(connection, index):
            connection.execute(f"SET lock_timeout = {int(lock_timeout * 1000)}")
            return
    indexes.drop_invalid(connection, index)
    raise ProviderError(
        f"the index {index.name} was not valid after {_BUILD_TRIES} tries, and was dropped",
        where=migration.file,
        why="Postgres made it, but says that it may not be used (pg_index.indisvalid)",
        next_step="look into the log of the database, then run this again",
    )


def _cancelled(migration: Migration, watch: Watch) -> ShipmateError | None:
    """The error for a statement that the watcher ended; None for one that something else did."""
    if watch.waited:
        return RefusedError(
            f"others had been waiting {watch.waited:.1f} s for what {migration.file} holds or asks for, so it was ended",
            where=migration.file,
            why="a deployment may not make users wait; " + _left(migration),
            next_step="let it hold its locks more shortly: CONCURRENTLY, NOT VALID and VALIDATE apart, rows in batches. "
            f"To do so, {_fixed(migration)}",
        )
    if watch.blind:
        return ProviderUnavailable(
            f"nobody could tell any more whether {migration.file} makes others wait, so it was ended",
            where="Postgres",
            why=watch.blind,
            next_step=f"run the same command again: {_left(migration)}",
        )
    return None


def _failure(error: psycopg.Error, migration: Migration) -> ProviderError:
    position = error.diag.statement_position
    line = migration.sql[: int(position)].count("\n") + 1 if position and not migration.alone else 0
    return ProviderError(
        f"Postgres refuses {migration.file}: {_message(error)}",
        where=f"{migration.file}:{line}" if line else migration.file,
        why=" ".join(part for part in (error.diag.message_detail, error.diag.message_hint, _left(migration)) if part),
        next_step=f"{_fixed(migration)}; where the cause is in the database, fix that and run this again",
    )


def _left(migration: Migration) -> str:
    return (
        f"{'parts of the file may be' if migration.alone else 'nothing of the file was'} applied, and no later one ran"
    )


def _fixed(migration: Migration) -> str:
    return f"{schema.FIX} `-- shipmate: supersedes {migration.version}: why`, and release again"


def _message(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())[:300]
