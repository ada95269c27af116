"""Due migrations tried before anything moves, against a real Postgres: by counts that only read, and on a copy."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from pipelines.delivery.migrations import due, planned, trial
from pipelines.delivery.migrations import files as schema
from pipelines.delivery.migrations import runner as migrate
from pipelines.delivery.migrations.counts import Bounds
from pipelines.delivery.migrations.trial import Trial
from pipelines.errors import CredentialsError, RefusedError

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[4]
START = """
CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE notes (id bigint, body text, kind varchar(20), owner bigint, size bigint);
CREATE FUNCTION long(text) RETURNS boolean LANGUAGE sql AS 'SELECT length($1) > 5';
"""
ROWS = """
INSERT INTO users VALUES (1, 'a'), (2, 'b');
INSERT INTO notes VALUES (1, 'short', 'x', 1, 1), (2, 'longer', 'y', 9, 70000), (2, NULL, 'longer kind', NULL, NULL);
"""
_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    spec = importlib.util.spec_from_file_location("services_of_trials", ROOT / "apps/backend/development/services.py")
    assert spec is not None
    assert spec.loader is not None
    services: Any = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = services
    spec.loader.exec_module(services)
    with services.running_services() as urls:
        yield urls.database


class Production:
    """A database with rows, a folder with a first migration that it has, and a manifest's target."""

    def __init__(self, server: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server, self.folder = server, folder
        self.address = self.database()
        self.secrets = {"migration@1": self.address}
        self.target = SimpleNamespace(
            database_secret="migration@1",
            database_read_secret=None,
            database_copy_secret=None,
            migrate_by="workflow",
            project="p",
        )
        self.put("0001_start.expand.sql", START)
        migrate.run(self.address, folder, phase="expand", release="v1")
        self.execute(ROWS)
        monkeypatch.setattr(due, "folder", lambda context, component: folder)
        monkeypatch.setattr(due, "address_of", self._address_of)

    def _address_of(self, context: object, component: str, secret: str) -> str:
        if secret not in self.secrets:
            raise CredentialsError(f"secret {secret} cannot be read")
        return self.secrets[secret]

    def database(self, template: str = "template1") -> str:
        name = f"trial_{next(_numbers)}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.server.replace("/postgres?", f"/{name}?")

    def copy(self) -> str:
        """A copy of it, named in the manifest."""
        name = self.address.partition("?")[0].rpartition("/")[2]
        self.secrets["copy@1"] = self.database(template=name)
        self.target.database_copy_secret = "copy@1"
        return self.secrets["copy@1"]

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def execute(self, text: str, address: str = "") -> None:
        with psycopg.connect(address or self.address, autocommit=True) as connection:
            connection.execute(text.encode())

    def tried(self, *texts: str, contract: tuple[str, ...] = ()) -> Trial:
        for number, text in enumerate(texts, 2):
            self.put(f"{number:04}_x.expand.sql", text)
        context: Any = SimpleNamespace(target=lambda component: self.target, environment="production")
        expand = [file.name for file in self.folder.glob("*.expand.sql") if file.name[:4] != "0001"]
        return planned.tried(context, "backend", expand, contract)

    def known(self, text: str) -> tuple[str, int]:
        (found,) = self.tried(text).findings
        return found.state, found.rows


@pytest.fixture
def production(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Production:
    return Production(server, tmp_path, monkeypatch)


ALONE = "-- shipmate: no-transaction\n"
LATER = "; -- then\nALTER TABLE notes VALIDATE CONSTRAINT c"


@pytest.mark.parametrize(
    ("text", "state", "rows"),
    [
        ("ADD CONSTRAINT c CHECK (length(body) <= 5) NOT VALID", "violated", 1),
        ("ADD CONSTRAINT c CHECK (length(body) <= 6) NOT VALID", "fits", 0),
        ("ADD CONSTRAINT c CHECK (kind IN ('x', 'y')) NOT VALID", "violated", 1),
        ("ADD CONSTRAINT c CHECK (body IS NOT NULL) NOT VALID", "violated", 1),
        ("ADD CONSTRAINT c CHECK (size > 0 AND size < 100) NOT VALID", "violated", 1),
        ("ADD CONSTRAINT c FOREIGN KEY (owner) REFERENCES users NOT VALID", "violated", 1),
        ("ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES users (id) NOT VALID", "fits", 0),
        ("ADD CONSTRAINT c CHECK (long(body)) NOT VALID", "unknown", 0),
        ("ADD CONSTRAINT c CHECK (nothing > 0) NOT VALID", "unknown", 0),
    ],
)
def test_constraints_that_are_validated(production: Production, text: str, state: str, rows: int) -> None:
    assert production.known(f"-- shipmate: allow validate-apart: few rows\nALTER TABLE notes {text}{LATER}") == (
        state,
        rows,
    )


@pytest.mark.parametrize(
    ("rule", "text", "state", "rows"),
    [
        ("not-null", "ALTER TABLE notes ALTER body SET NOT NULL", "violated", 1),
        ("not-null", "ALTER TABLE public.notes ALTER COLUMN id SET NOT NULL", "fits", 0),
        ("unique", "ALTER TABLE notes ADD UNIQUE (id)", "violated", 2),
        ("unique", "ALTER TABLE notes ADD UNIQUE (id, body)", "fits", 0),
        ("unique", "ALTER TABLE notes ADD PRIMARY KEY (owner)", "violated", 1),
        ("concurrently", "CREATE UNIQUE INDEX i ON notes (id)", "violated", 2),
        ("concurrently", "CREATE UNIQUE INDEX i ON notes (id) WHERE body IS NOT NULL", "unknown", 0),
        ("type-change", "ALTER TABLE notes ALTER size TYPE smallint", "violated", 1),
        ("type-change", "ALTER TABLE notes ALTER size TYPE int", "fits", 0),
        ("type-change", "ALTER TABLE notes ALTER kind TYPE varchar(5)", "violated", 1),
        ("type-change", "ALTER TABLE notes ALTER kind TYPE text", "fits", 0),
        ("type-change", "ALTER TABLE notes ALTER body TYPE int USING body::int", "unknown", 0),
        ("required-column", "ALTER TABLE notes ADD COLUMN a int NOT NULL", "violated", 3),
    ],
)
def test_what_a_reviewed_exception_lets_run(
    production: Production, rule: str, text: str, state: str, rows: int
) -> None:
    assert production.known(f"-- shipmate: allow {rule}: a small table\n{text}") == (state, rows)


def test_what_postgres_says_itself_is_what_was_counted(production: Production) -> None:
    """Each condition, as it is written, by Postgres' own check of the rows."""
    for text in (
        "length(body) <= 5",
        "size BETWEEN 1 AND 70000",
        "NOT (kind = 'x')",
        "id > 1 OR owner = 1",
        "size < 2 OR owner IS NULL",
    ):
        found = production.known(f"-- shipmate: allow not-valid: x\nALTER TABLE notes ADD CONSTRAINT c CHECK ({text})")
        with psycopg.connect(production.address) as connection:
            try:
                connection.execute(f"ALTER TABLE notes ADD CONSTRAINT c CHECK ({text})".encode())
                says = "fits"
            except psycopg.errors.CheckViolation:
                says = "violated"
            connection.rollback()
        assert found[0] == says, text


def test_a_plan_that_rows_refuse_says_file_constraint_count_and_what_to_do(production: Production) -> None:
    found = production.tried(
        "ALTER TABLE notes ADD CONSTRAINT short CHECK (length(body) <= 5) NOT VALID",
        "ALTER TABLE notes VALIDATE CONSTRAINT short",
    )
    with pytest.raises(RefusedError) as caught:
        trial.require(found)
    assert "0003_x.expand.sql:1: VALIDATE short of notes: 1 row(s) violate it" in str(caught.value)
    assert "supersedes 0003: why" in caught.value.next_step


def test_before_the_approval_none_of_the_releases_sql_runs(production: Production) -> None:
    """A function of the release's CHECK leaves a trace when it is called."""
    production.execute(
        "CREATE SEQUENCE calls; CREATE FUNCTION trace(text) RETURNS boolean LANGUAGE sql AS 'SELECT nextval(''calls'') > 0'"
    )
    text = "-- shipmate: allow not-valid: x\nALTER TABLE notes ADD CONSTRAINT c CHECK (trace(body))"
    found = production.tried(text)
    assert [each.state for each in found.findings] == ["unknown"]
    assert "it is asked once the release is approved" in found.warnings()[0]
    with psycopg.connect(production.address) as connection:
        assert connection.execute("SELECT is_called FROM calls").fetchone() == (False,)
    files = schema.read(production.folder)
    after = trial.before_migrating(production.address, "backend", files, [])
    assert "read-only" in after.findings[0].why, "asked now, in a session that cannot write"
    production.put("0002_x.expand.sql", text.replace("trace", "long"))
    after = trial.before_migrating(production.address, "backend", schema.read(production.folder), [])
    assert [(each.state, each.rows) for each in after.findings] == [("violated", 1)]


def test_a_condition_cannot_leave_its_count(production: Production) -> None:
    text = "-- shipmate: allow not-valid: x\nALTER TABLE notes ADD CONSTRAINT c CHECK (long(body)); CREATE TABLE more (id int) --)"
    production.put("0002_x.expand.sql", text)
    files = schema.read(production.folder)
    found = trial.before_migrating(production.address, "backend", files, [])
    assert [(each.state, each.rows) for each in found.findings] == [("violated", 1)]
    with psycopg.connect(production.address) as connection:
        assert connection.execute("SELECT to_regclass('more')").fetchone() == (None,)


def test_what_an_earlier_one_makes_is_not_counted(production: Production) -> None:
    found = production.tried(
        "CREATE TABLE pages (id int NOT NULL); CREATE UNIQUE INDEX i ON pages (id)",
        "ALTER TABLE notes ADD COLUMN page int; -- none yet\nALTER TABLE notes ADD CONSTRAINT c CHECK (page > 0) NOT VALID",
    )
    assert (found.by, found.due, found.findings) == ("counts", ("0002_x.expand.sql", "0003_x.expand.sql"), ())
    assert "0002_x.expand.sql: nothing in it that rows could violate" in found.lines()


def test_changes_of_rows_are_reported_to_be_unknown(production: Production) -> None:
    (found,) = production.tried("UPDATE notes SET kind = 'z' WHERE kind = 'x'").findings
    assert str(found) == "0002_x.expand.sql:1: UPDATE of notes: not known before it runs: it changes rows, or runs code"


def test_an_expand_that_drops_is_refused_whatever_the_rows(production: Production) -> None:
    with pytest.raises(RefusedError, match=r"0002_x.expand.sql:1: DROP COLUMN body of notes \[drop\]"):
        production.tried("ALTER TABLE notes DROP COLUMN body")


def test_a_contract_of_the_plan_is_tried_and_no_other(production: Production) -> None:
    production.put("0003_x.contract.sql", "ALTER TABLE notes DROP COLUMN body")
    production.put("0004_x.contract.sql", "ALTER TABLE notes DROP COLUMN kind")
    found = production.tried("SELECT 1", contract=("0003_x.contract.sql",))
    assert found.due == ("0002_x.expand.sql", "0003_x.contract.sql")


def test_a_database_that_cannot_be_asked_is_a_warning(production: Production) -> None:
    production.secrets["migration@1"] = "postgresql://127.0.0.1:1/x"
    found = production.tried("SELECT 1")
    trial.require(found)
    assert found.by == "nothing"
    assert found.lines() == found.warnings()
    assert "is not known before they run: connection" in found.warnings()[0]
    production.secrets.clear()
    assert "secret migration@1 cannot be read" in production.tried("SELECT 1").warnings()[0]


def test_rows_are_counted_by_the_user_who_may_only_read(production: Production) -> None:
    production.execute("CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    production.secrets["read@1"] = production.address.replace("postgres@", "reader@")
    production.target.database_read_secret = "read@1"
    production.target.database_secret = None
    assert production.known("-- shipmate: allow not-null: x\nALTER TABLE notes ALTER body SET NOT NULL") == (
        "violated",
        1,
    )


def test_a_count_that_takes_too_long_is_given_up(production: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    production.execute("INSERT INTO notes SELECT n, repeat('x', 1000), 'k', NULL, n FROM generate_series(1, 50000) n")
    text = "-- shipmate: allow unique: x\nALTER TABLE notes ADD UNIQUE (body, kind, owner, size, id)"
    monkeypatch.setattr(trial, "PLANNING", Bounds(each=0.001))
    (found,) = production.tried(text).findings
    assert (found.state, found.why) == ("unknown", "the count took too long")
    monkeypatch.setattr(trial, "PLANNING", Bounds(all=0.0))
    (found,) = production.tried(text).findings
    assert (found.state, found.why) == ("unknown", "the counts before took too long")


# a copy -----------------------------------------------------------------------------------------------------------------


def test_on_a_copy_everything_is_run_and_taken_back(production: Production) -> None:
    copy = production.copy()
    found = production.tried(
        "ALTER TABLE notes ADD COLUMN page int",
        f"{ALONE}CREATE INDEX CONCURRENTLY IF NOT EXISTS pages ON notes (page);\n-- shipmate: next\nVACUUM notes",
        "UPDATE notes SET page = 1 WHERE page IS NULL",
        "ALTER TABLE notes ADD CONSTRAINT c CHECK (long(body) OR page > 0) NOT VALID",
        "ALTER TABLE notes VALIDATE CONSTRAINT c",
    )
    assert (found.by, found.wrong, found.warnings()) == ("copy", [], [])
    assert {each.state for each in found.findings} == {"fits"}
    for address in (copy, production.address):
        with psycopg.connect(address) as connection:
            columns = connection.execute(
                "SELECT count(*) FROM pg_attribute WHERE attname = 'page' AND attrelid = 'notes'::regclass"
            ).fetchone()
            assert columns == (0,)


def test_what_the_copy_refuses_is_refused(production: Production) -> None:
    production.copy()
    assert production.known(
        "-- shipmate: allow not-valid: x\nALTER TABLE notes ADD CONSTRAINT c CHECK (long(body))"
    ) == (
        "violated",
        1,
    )
    found = production.tried("ALTER TABLE nothing ADD COLUMN a int")
    with pytest.raises(RefusedError, match=r'applied: refused: relation "nothing" does not exist'):
        trial.require(found)
    assert "copy" in found.lines()[0]


def test_what_only_the_trial_cannot_do_is_not_known(production: Production) -> None:
    production.put("0002_x.expand.sql", "CREATE TYPE mood AS ENUM ('well')")
    migrate.run(production.address, production.folder, phase="expand", release="v1")
    production.copy()
    found = production.tried(
        "CREATE TYPE mood AS ENUM ('well')", "ALTER TYPE mood ADD VALUE 'ill'", "CREATE TABLE m (a mood DEFAULT 'ill')"
    )
    assert [each.state for each in found.findings] == ["unknown"]


def test_a_copy_that_is_the_database_itself_is_refused_and_untouched(production: Production) -> None:
    production.target.database_copy_secret = "migration@1"
    with pytest.raises(RefusedError, match="is the database itself"):
        production.tried("CREATE TABLE more (id int)")


def test_a_copy_that_cannot_be_reached_is_a_warning(production: Production) -> None:
    production.copy()
    production.secrets["copy@1"] = "postgresql://127.0.0.1:1/x"
    assert "the copy: connection" in production.tried("SELECT 1").warnings()[0]
