"""Migrations against a real Postgres: once, whole, one runner at a time, and finished after a kill."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipelines.delivery.migrations import runner as migrate
from pipelines.errors import (
    ConflictError,
    CredentialsError,
    InputError,
    ProviderError,
    ProviderUnavailable,
    RefusedError,
)
from pipelines.faults import Policy

pytestmark = pytest.mark.world

_SERVICES = Path(__file__).parents[4] / "apps/backend/development/services.py"
QUICK = Policy(tries=2, scale=0.001)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    spec = importlib.util.spec_from_file_location("development_services", _SERVICES)
    assert spec is not None
    assert spec.loader is not None
    services: Any = importlib.util.module_from_spec(spec)
    sys.modules["development_services"] = services
    spec.loader.exec_module(services)
    with services.running_services() as urls:
        yield urls.database


_numbers = count(1)


@pytest.fixture
def address(server: str) -> str:
    """A fresh database."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.replace("/postgres?", f"/{name}?")


def folder(tmp_path: Path, **files: str) -> Path:
    made = tmp_path / "migrations"
    made.mkdir(exist_ok=True)
    for name, sql in files.items():
        (made / f"{name.replace('__', '.')}.sql").write_text(sql)
    return made


def run(address: str, files: Path, phase: str = "expand", **options: Any) -> list[str]:
    return migrate.run(address, files, phase=phase, release="v1.0.0", policy=QUICK, **options)


def rows(address: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(address) as connection:
        return connection.execute(query.encode()).fetchall()


def contracts(address: str) -> list[str]:
    """Files of the contract migrations that ran."""
    return [row.file for row in migrate.applied(address) if row.kind == "contract" and not row.superseded_by]


def test_each_runs_once_and_is_recorded(address: str, tmp_path: Path) -> None:
    assert migrate.applied(address) == []
    files = folder(
        tmp_path, **{"0001_add__expand": "CREATE TABLE a (id int)", "0002_more__expand": "ALTER TABLE a ADD b int"}
    )
    assert run(address, files) == ["0001_add.expand.sql", "0002_more.expand.sql"]
    assert run(address, files) == []
    found = rows(
        address, "SELECT version, name, kind, release, length(checksum) FROM schema_migrations ORDER BY version"
    )
    assert found == [("0001", "add", "expand", "v1.0.0", 64), ("0002", "more", "expand", "v1.0.0", 64)]


def test_a_contract_waits_for_a_later_release(address: str, tmp_path: Path) -> None:
    files = folder(tmp_path, **{"0001_add__expand": "CREATE TABLE a (id int)", "0002_drop__contract": "DROP TABLE a"})
    assert run(address, files, "contract", serving=["0000"]) == []
    assert run(address, files) == ["0001_add.expand.sql"]
    assert run(address, files, "contract") == []
    assert contracts(address) == []
    assert run(address, files, "contract", serving=["0002"]) == ["0002_drop.contract.sql"]
    assert contracts(address) == ["0002_drop.contract.sql"]


def test_a_failing_file_leaves_nothing_and_names_its_line(address: str, tmp_path: Path) -> None:
    files = folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int);\n\nALTER TABLE nothing ADD b int;\n"})
    with pytest.raises(ProviderError, match='relation "nothing" does not exist') as caught:
        run(address, files)
    assert caught.value.where.startswith("0001_a.expand.sql")
    assert rows(address, "SELECT to_regclass('a')") == [(None,)]
    folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int)\n\n  WITH nonsense;"})
    with pytest.raises(ProviderError, match="syntax error") as caught:
        run(address, files)
    assert caught.value.where == "0001_a.expand.sql:3"


def test_two_runners_at_once_apply_each_once(address: str, tmp_path: Path) -> None:
    files = folder(
        tmp_path, **{f"{n:04}_a__expand": f"CREATE TABLE a{n} (id int); SELECT pg_sleep(0.05)" for n in range(1, 5)}
    )
    done: list[list[str]] = []
    threads = [threading.Thread(target=lambda: done.append(run(address, files))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(len(applied) for applied in done) == [0, 0, 4]


def test_a_runner_that_waits_too_long_says_who_has_the_lock(address: str, tmp_path: Path) -> None:
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (migrate._LOCK,))
        with pytest.raises(ConflictError, match="another run has been migrating") as caught:
            run(address, folder(tmp_path), wait=0.2)
    assert "process" in caught.value.why


def test_a_table_in_use_is_given_way_to(address: str, tmp_path: Path) -> None:
    run(address, folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int)"}))
    files = folder(tmp_path, **{"0002_b__expand": "ALTER TABLE a ADD b int"})
    with psycopg.connect(address) as busy:
        busy.execute("LOCK TABLE a IN ACCESS SHARE MODE")
        with pytest.raises(ConflictError, match="could not lock what it changes"):
            run(address, files, lock_timeout=0.02)
        slept: list[float] = []

        def ends(seconds: float) -> None:
            slept.append(seconds)
            busy.rollback()

        policy = Policy(sleep=ends)
        assert migrate.run(address, files, phase="expand", release="v2", lock_timeout=0.02, policy=policy) == [
            "0002_b.expand.sql"
        ]
    assert len(slept) == 1


def test_a_statement_that_takes_too_long_is_ended(address: str, tmp_path: Path) -> None:
    files = folder(tmp_path, **{"0001_a__expand": "SELECT pg_sleep(30)"})
    with pytest.raises(ProviderError, match="statement timeout"):
        run(address, files, statement_timeout=0.05)


def test_what_cannot_run_in_a_transaction_runs_part_by_part(address: str, tmp_path: Path) -> None:
    run(address, folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int)"}))
    alone = (
        "-- shipmate: no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS a_id;\n"
        "-- shipmate: next\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n"
    )
    files = folder(tmp_path, **{"0002_b__expand": alone})
    assert run(address, files) == ["0002_b.expand.sql"]
    assert rows(address, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass") == [(True,)]


# superseding ------------------------------------------------------------------------------------------------------------

STRICT = {
    "0001_notes__expand": "CREATE TABLE notes (body text)",
    "0002_short__expand": "ALTER TABLE notes ADD CONSTRAINT short CHECK (length(body) <= 3)",
    "0003_more__expand": "ALTER TABLE notes ADD COLUMN more text",
}
FIXED = {
    "0004_short__expand": "-- shipmate: supersedes 0002: rows of years ago are longer\n"
    "ALTER TABLE notes DROP CONSTRAINT IF EXISTS short;\n"
    "ALTER TABLE notes ADD CONSTRAINT short CHECK (length(body) <= 3) NOT VALID"
}


def constraints(address: str) -> list[tuple[Any, ...]]:
    return rows(address, "SELECT conname, convalidated FROM pg_constraint WHERE conname = 'short'")


def test_a_failed_migration_is_superseded_and_the_line_goes_on(address: str, tmp_path: Path) -> None:
    run(address, folder(tmp_path, **{"0001_notes__expand": STRICT["0001_notes__expand"]}))
    with psycopg.connect(address) as connection:
        connection.execute("INSERT INTO notes VALUES ('longer')")
    files = folder(tmp_path, **STRICT)
    for _ in range(2):
        with pytest.raises(ProviderError, match="violated by some row") as caught:
            run(address, files)
    assert "supersedes 0002: why" in caught.value.next_step
    folder(tmp_path, **FIXED)
    assert run(address, files) == ["0003_more.expand.sql", "0004_short.expand.sql"]
    assert constraints(address) == [("short", False)]
    found = rows(
        address, "SELECT version, superseded_by, reason FROM schema_migrations WHERE superseded_by IS NOT NULL"
    )
    assert found == [("0002", "0004", "rows of years ago are longer")]
    assert run(address, files) == []
    (files / "0004_short.expand.sql").unlink()
    assert run(address, files) == [], "a release from before the mending"


def test_where_the_superseded_one_ran_it_is_only_repaired(address: str, tmp_path: Path) -> None:
    run(address, folder(tmp_path, **STRICT))
    assert constraints(address) == [("short", True)]
    assert run(address, folder(tmp_path, **FIXED)) == ["0004_short.expand.sql"]
    assert constraints(address) == [("short", False)]
    assert rows(address, "SELECT count(*) FROM schema_migrations WHERE superseded_by IS NOT NULL") == [(0,)]


def test_a_fresh_database_comes_out_the_same(address: str, tmp_path: Path) -> None:
    assert run(address, folder(tmp_path, **STRICT, **FIXED)) == [
        "0001_notes.expand.sql",
        "0003_more.expand.sql",
        "0004_short.expand.sql",
    ]
    assert constraints(address) == [("short", False)]
    assert [row.superseded_by for row in migrate.applied(address)] == ["", "0004", "", ""]


def test_a_superseded_contract_did_not_run(address: str, tmp_path: Path) -> None:
    files = folder(
        tmp_path,
        **{
            "0001_a__expand": "CREATE TABLE a (id int)",
            "0002_drop__contract": "DROP TABLE a",
            "0003_not__expand": "-- shipmate: supersedes 0002: someone reads it\nSELECT 1",
        },
    )
    assert run(address, files) == ["0001_a.expand.sql", "0003_not.expand.sql"]
    assert run(address, files, "contract", serving=["0003"]) == []
    assert contracts(address) == []


def test_a_table_of_an_older_runner_is_read_and_grown(address: str, tmp_path: Path) -> None:
    files = folder(tmp_path, **STRICT)
    run(address, files)
    with psycopg.connect(address) as connection:
        connection.execute("ALTER TABLE schema_migrations DROP COLUMN superseded_by, DROP COLUMN reason")
    assert len(migrate.applied(address)) == 3
    assert run(address, folder(tmp_path, **FIXED)) == ["0004_short.expand.sql"]


# others who wait --------------------------------------------------------------------------------------------------------


class User(threading.Thread):
    """Asks all the while; the longest it had to wait, in seconds."""

    def __init__(self, address: str, query: str = "SELECT count(*) FROM a") -> None:
        super().__init__(daemon=True)
        self._address, self._query, self._done, self.asked = address, query, threading.Event(), threading.Event()
        self.longest = 0.0
        self.errors: list[str] = []

    def run(self) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            while not self._done.is_set():
                began = time.monotonic()
                try:
                    connection.execute(self._query.encode())
                except psycopg.Error as error:
                    self.errors.append(str(error))
                    return
                self.longest = max(self.longest, time.monotonic() - began)
                self.asked.set()

    def __enter__(self) -> User:
        self.start()
        assert self.asked.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join(20)


def test_nobody_waits_for_what_a_migration_holds(address: str, tmp_path: Path) -> None:
    run(address, folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int)"}))
    files = folder(tmp_path, **{"0002_b__expand": "LOCK TABLE a IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(120)"})
    with User(address) as user, pytest.raises(RefusedError, match="others had been waiting") as caught:
        run(address, files, patience=0.3)
    assert user.errors == []
    assert 0.3 <= user.longest < 60, "the migration would have held it for 120 s"
    assert "nothing of the file was applied" in caught.value.why
    assert "supersedes 0002" in caught.value.next_step
    assert [each.version for each in migrate.applied(address)] == ["0001"]


def test_rows_that_a_migration_changed_are_held_no_longer(address: str, tmp_path: Path) -> None:
    run(address, folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int); INSERT INTO a VALUES (1)"}))
    files = folder(tmp_path, **{"0002_b__expand": "UPDATE a SET id = 2; SELECT pg_sleep(120)"})
    with User(address, "UPDATE a SET id = id") as user, pytest.raises(RefusedError, match="others had been waiting"):
        run(address, files, patience=0.3)
    assert user.errors == []


def test_what_is_held_while_nobody_asks_is_let_be(address: str, tmp_path: Path) -> None:
    run(address, folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int)"}))
    files = folder(tmp_path, **{"0002_b__expand": "LOCK TABLE a; SELECT pg_sleep(0.5)"})
    assert run(address, files, patience=0.1) == ["0002_b.expand.sql"]


def test_those_behind_a_migration_that_waits_itself_wait_no_longer_than_its_lock_timeout(
    address: str, tmp_path: Path
) -> None:
    """A long transaction of others, then the migration, then users: they queue behind what it asks for."""
    run(address, folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int)"}))
    files = folder(tmp_path, **{"0002_b__expand": "ALTER TABLE a ADD b int"})
    with psycopg.connect(address) as busy:
        busy.execute("SELECT count(*) FROM a")
        with User(address) as user, pytest.raises(RefusedError, match="holds or asks for"):
            run(address, files, lock_timeout=100.0, patience=0.3)
        assert user.errors == []
        with User(address) as user, pytest.raises(ConflictError, match="could not lock"):
            run(address, files, lock_timeout=0.05)
        assert user.errors == []


def test_without_a_watcher_a_migration_does_not_go_on(address: str, tmp_path: Path) -> None:
    files = folder(
        tmp_path,
        **{
            "0001_a__expand": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'shipmate migrate' AND datname = current_database() AND pid <> pg_backend_pid(); "
            "SELECT pg_sleep(120)"
        },
    )
    with pytest.raises(ProviderUnavailable, match="nobody could tell any more"):
        run(address, files)
    assert migrate.applied(address) == []


# indexes made concurrently ----------------------------------------------------------------------------------------------

ALONE = "-- shipmate: no-transaction\n"
MAKE = f'{ALONE}CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "A_id" ON a (id);\n'


def invalid(address: str, *values: int) -> None:
    """A table whose unique index was left behind invalid, as a failed or killed making leaves it."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE a (id int)")
        connection.cursor().executemany("INSERT INTO a VALUES (%s)", [(1,), (1,)])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute('CREATE UNIQUE INDEX CONCURRENTLY "A_id" ON a (id)')
        connection.execute("DELETE FROM a")
        connection.cursor().executemany("INSERT INTO a VALUES (%s)", [(value,) for value in values])


INDEXES = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'a'::regclass"


def test_an_invalid_index_of_a_killed_run_is_dropped_and_made_again(address: str, tmp_path: Path) -> None:
    invalid(address, 1, 2)
    assert rows(address, INDEXES) == [('"A_id"', False)]
    assert run(address, folder(tmp_path, **{"0001_a__expand": MAKE})) == ["0001_a.expand.sql"]
    assert rows(address, INDEXES) == [('"A_id"', True)]


def test_an_index_that_rows_refuse_leaves_nothing_behind(address: str, tmp_path: Path) -> None:
    invalid(address, 3, 3)
    with pytest.raises(ProviderError, match="could not create unique index") as caught:
        run(address, folder(tmp_path, **{"0001_a__expand": MAKE}))
    assert "(id)=(3) is duplicated" in caught.value.why
    assert rows(address, INDEXES) == []
    assert migrate.applied(address) == []


def test_an_index_that_is_there_and_valid_is_left(address: str, tmp_path: Path) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute('CREATE TABLE a (id int); CREATE INDEX "A_id" ON a (id)')
    (before,) = rows(address, "SELECT indexrelid FROM pg_index WHERE indrelid = 'a'::regclass")
    run(address, folder(tmp_path, **{"0001_a__expand": MAKE.replace("IF NOT EXISTS ", "")}))
    assert rows(address, "SELECT indexrelid FROM pg_index WHERE indrelid = 'a'::regclass") == [before]


def test_an_index_waits_for_older_transactions_and_blocks_nobody(address: str, tmp_path: Path) -> None:
    """`lock_timeout` would end its making whenever someone has a transaction open, and leave it invalid."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE a (id int)")
    files = folder(tmp_path, **{"0001_a__expand": MAKE})
    done: list[list[str]] = []
    with psycopg.connect(address) as older:
        older.execute("INSERT INTO a VALUES (1)")
        thread = threading.Thread(target=lambda: done.append(run(address, files, lock_timeout=0.01)))
        thread.start()
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'virtualxid'"
        _until(lambda: bool(rows(address, waiting)))
        with User(address, "INSERT INTO a SELECT count(*) + 1 FROM a") as user:
            pass
        assert user.errors == []
        older.rollback()
    thread.join(30)
    assert done == [["0001_a.expand.sql"]]
    assert rows(address, INDEXES) == [('"A_id"', True)]


def test_an_index_that_is_never_valid_is_given_up(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE a (id int)")
    monkeypatch.setattr(migrate.indexes, "valid", lambda connection, index: False)
    with pytest.raises(ProviderError, match="A_id was not valid after 3 tries"):
        run(address, folder(tmp_path, **{"0001_a__expand": MAKE}))
    assert migrate.applied(address) == []


PROGRAM = """
import sys
from pathlib import Path
from pipelines.delivery.migrations import runner as migrate
print(migrate.run(sys.argv[1], Path(sys.argv[2]), phase="expand", release="v1.0.0", say=lambda line: print(line, flush=True)))
"""


@pytest.mark.parametrize("alone", [False, True])
def test_a_killed_run_is_finished_by_the_next(address: str, tmp_path: Path, alone: bool) -> None:
    slow = "CREATE TABLE IF NOT EXISTS b (id int);\n{}SELECT pg_sleep(60);\n"
    second = slow.format("-- shipmate: next\n") if alone else slow.format("")
    first = "-- shipmate: no-transaction\n" if alone else ""
    files = folder(tmp_path, **{"0001_a__expand": "CREATE TABLE a (id int)", "0002_b__expand": first + second})
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, address, str(files)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "0001" in process.stdout.readline()
        assert "0002" in process.stdout.readline()
        _until(lambda: bool(rows(address, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")))
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    with psycopg.connect(address, autocommit=True) as connection:
        # What a server does at the end of the client_connection_check_interval, or of the statement.
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    assert [row[0] for row in rows(address, "SELECT version FROM schema_migrations")] == ["0001"]
    assert rows(address, "SELECT to_regclass('b') IS NOT NULL") == [(alone,)]
    (files / "0002_b.expand.sql").write_text(first + "CREATE TABLE IF NOT EXISTS b (id int)")
    assert run(address, files) == ["0002_b.expand.sql"]


def _until(condition: Any, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        threading.Event().wait(0.02)


def test_a_lost_connection_is_reported_as_such(address: str, tmp_path: Path) -> None:
    files = folder(tmp_path, **{"0001_a__expand": "SELECT pg_terminate_backend(pg_backend_pid())"})
    with pytest.raises(ProviderUnavailable, match="the connection was lost"):
        run(address, files)


def test_a_wrong_address_is_a_matter_of_credentials_an_absent_server_is_not(address: str, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="does not exist"):
        run(address.replace("/test_", "/none_"), folder(tmp_path))
    with pytest.raises(ProviderUnavailable, match="no connection after 2 tries"):
        run("postgresql://127.0.0.1:1/x", folder(tmp_path))
    with pytest.raises(InputError, match="is no phase"):
        run(address, folder(tmp_path), "later")


def test_the_platforms_own_migrations_apply(address: str) -> None:
    files = Path(__file__).parents[4] / "apps/backend/migrations"
    applied = run(address, files)
    assert len(applied) >= 2
    assert run(address, files) == []
