"""Migrations of an environment, against a real Postgres and Secret Manager; and a rollback that they prevent."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipelines.delivery.context import Context
from pipelines.delivery.migrations import due as migrations
from pipelines.delivery.rollback import Request, preview, roll_back
from pipelines.errors import CredentialsError, InputError, RefusedError
from pipelines.http import Http
from pipelines.manifest import load
from pipelines.overlay import Overlay
from pipelines.providers import Credentials
from pipelines.runtime import Runtime
from rehearsal.emulators.secret_manager.app import SecretManager
from rehearsal.serving import running
from tests.memory_hosts import MemoryHost, Sites, Writes
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[4]
SECRET = "      database_secret: migration-database-url@1\n"
FILES = {
    "0001_notes.expand.sql": "CREATE TABLE notes (id int, old text)",
    "0002_new.expand.sql": "ALTER TABLE notes ADD COLUMN new text",
    "0003_drop.contract.sql": "ALTER TABLE notes DROP COLUMN old",
}
MORE = {
    "0002_more.expand.sql": "CREATE TABLE more (id int)",
    "0003_check.expand.sql": "ALTER TABLE notes ADD CONSTRAINT c CHECK (old ~ '^a') NOT VALID",
    "0004_validate.expand.sql": "ALTER TABLE notes VALIDATE CONSTRAINT c",
    "0004_keep.expand.sql": "-- shipmate: supersedes 0003: a report still reads it\nSELECT 1",
    "0002_gone.expand.sql": "ALTER TABLE notes DROP COLUMN old",
}
_numbers = count(1)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    name = "development_services_of_migrations"
    spec = importlib.util.spec_from_file_location(name, ROOT / "apps/backend/development/services.py")
    assert spec is not None
    assert spec.loader is not None
    services: Any = importlib.util.module_from_spec(spec)
    sys.modules[name] = services
    spec.loader.exec_module(services)
    with services.running_services() as urls:
        yield urls.database


class Staging:
    """One environment with a database."""

    def __init__(self, folder: Path, address: str, http: Http, secrets: SecretManager, sites: Sites) -> None:
        self.folder, self.address, self.secrets = folder, address, secrets
        self.log = io.StringIO()
        self.hosts = {
            name: MemoryHost(url=f"https://{host}", gradual=False, writes=Writes())
            for name, host in (("backend", "api-staging.techmate.ai"), ("web", "staging.techmate.ai"))
        }
        sites.hosts.update({("staging", name): host for name, host in self.hosts.items()})
        self.http = http

    def context(self, manifest: str = "") -> Context:
        text = manifest or MANIFEST.replace(
            "    paths: [apps/backend/**]\n", "    paths: [apps/backend/**]\n    migrations: migrations\n"
        ).replace("      service: api\n", f"      service: api\n{SECRET}")
        (self.folder / "shipmate.yml").write_text(text)
        environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": "token", "GITHUB_ACTIONS": "true"}
        runtime = Runtime(environ=environ, stream=self.log)
        return Context(
            manifest=load(self.folder / "shipmate.yml"),
            environment="staging",
            runtime=runtime,
            http=self.http,
            credentials=Credentials(http=self.http, runtime=runtime),
            host_of=self.hosts.__getitem__,
        )

    def release(self, name: str, *files: str) -> str:
        """Migrate as the release's job does, then have it live; what was applied."""
        folder = self.folder / "migrations"
        folder.mkdir(exist_ok=True)
        for file in files:
            (folder / file).write_text({**FILES, **MORE}[file])
        applied = migrations.apply(self.context(), "backend", phase=migrations.DUE, release=name)
        schema = max(file.name[:4] for file in folder.iterdir())
        for host in self.hosts.values():
            host.put(name, "c" * 40, "sha256:x", schema=schema)
        return applied

    def columns(self) -> list[str]:
        with psycopg.connect(self.address) as connection:
            rows = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'notes' ORDER BY 1"
            )
            return [row[0] for row in rows]


@pytest.fixture
def staging(postgres: str, tmp_path: Path) -> Iterator[Staging]:
    name = f"due_{next(_numbers)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    address = postgres.replace("/postgres?", f"/{name}?")
    secrets, sites = SecretManager(), Sites()
    secrets.secrets.put("techmate-staging", "migration-database-url", address.encode())
    with running(secrets.app) as keeper, running(sites) as site:
        hosts = dict.fromkeys(secrets.hosts, keeper.url) | dict.fromkeys(("*.techmate.ai",), site.url)
        http = Http(overlay=Overlay(hosts=hosts, time_scale=0.0))
        yield Staging(tmp_path, address, http, secrets, sites)


def test_the_address_is_a_secret_that_no_log_shows(staging: Staging) -> None:
    staging.release("v1", "0001_notes.expand.sql")
    assert [line for line in staging.log.getvalue().splitlines() if staging.address in line] == [
        f"::add-mask::{staging.address}".replace("%", "%25")
    ]


def test_expand_with_the_release_and_contract_once_nothing_needs_it(staging: Staging) -> None:
    assert staging.release("v1", "0001_notes.expand.sql") == "applied 0001_notes.expand.sql"
    assert staging.release("v2", "0002_new.expand.sql", "0003_drop.contract.sql") == "applied 0002_new.expand.sql"
    assert staging.columns() == ["id", "new", "old"], "v1 serves until v2 does"
    assert staging.release("v3") == "applied 0003_drop.contract.sql"
    assert staging.columns() == ["id", "new"]
    assert staging.release("v4") == "nothing to apply"


def test_rows_that_one_would_refuse_stop_all_of_them_before_the_first(staging: Staging) -> None:
    """After the approval the condition is asked as it is written, in a session that can only read."""
    staging.release("v1", "0001_notes.expand.sql")
    with psycopg.connect(staging.address) as connection:
        connection.execute("INSERT INTO notes VALUES (1, 'abc'), (2, 'xyz')")
    files = ("0002_more.expand.sql", "0003_check.expand.sql", "0004_validate.expand.sql")
    with pytest.raises(RefusedError, match=r"0004_validate.expand.sql:1: VALIDATE c of notes: 1 row\(s\) violate it"):
        staging.release("v2", *files)
    with psycopg.connect(staging.address) as connection:
        assert connection.execute("SELECT to_regclass('more')").fetchone() == (None,)
        connection.execute("DELETE FROM notes WHERE id = 2")
    assert staging.release("v2") == f"applied {', '.join(files)}"
    assert "VALIDATE c of notes: every row fits" in staging.log.getvalue()


def test_a_contract_that_was_superseded_closes_no_way_back(staging: Staging) -> None:
    staging.release("v1", "0001_notes.expand.sql")
    staging.release("v2", "0002_new.expand.sql", "0003_drop.contract.sql")
    staging.release("v3", "0004_keep.expand.sql")
    staging.release("v4")
    assert staging.columns() == ["id", "new", "old"]
    assert staging.hosts["backend"].live().marks.contracts == "0000"


def test_an_expand_migration_is_checked_and_not_believed(staging: Staging) -> None:
    staging.release("v1", "0001_notes.expand.sql")
    with pytest.raises(RefusedError, match=r"0002_gone.expand.sql:1: DROP COLUMN old of notes \[drop\]"):
        staging.release("v2", "0002_gone.expand.sql")
    assert staging.columns() == ["id", "old"]


@pytest.mark.parametrize(("most", "applied"), [("0000", False), ("0002", False), ("0003", True), (None, True)])
def test_a_contract_that_was_not_planned_waits_whatever_serves(
    staging: Staging, most: str | None, applied: bool
) -> None:
    """Between the plan and the migrations another release may have gone live, which knows more."""
    staging.release("v1", "0001_notes.expand.sql")
    staging.release("v2", "0002_new.expand.sql", "0003_drop.contract.sql")
    result = migrations.apply(staging.context(), "backend", phase=migrations.DUE, release="v3", most=most)
    assert result == ("applied 0003_drop.contract.sql" if applied else "nothing to apply")
    assert ("old" in staging.columns()) is not applied


def test_going_back_across_a_contract_is_refused_with_the_reason(staging: Staging) -> None:
    staging.release("v1", "0001_notes.expand.sql")
    staging.release("v2", "0002_new.expand.sql", "0003_drop.contract.sql")
    staging.release("v3")
    assert roll_back(staging.context(), Request()).release == "v2", "it knows the contract"
    with pytest.raises(RefusedError, match=r"going back to v1 is not safe: contract migration 0003 began") as refused:
        roll_back(staging.context(), Request(to="v1"))
    assert "fix it forward" in refused.value.next_step
    assert staging.hosts["backend"].serving() == {"v2": 100}
    assert preview(staging.context(), Request(to="v1", accept_schema_risk=True))
    assert preview(staging.context(), Request(to="v1", components=("web",))), "the web has no database"


def test_a_rollback_asks_no_database(staging: Staging) -> None:
    staging.release("v1", "0001_notes.expand.sql")
    staging.release("v2", "0002_new.expand.sql")
    staging.secrets.secrets.put("techmate-staging", "migration-database-url", b"postgresql://127.0.0.1:9/none")
    text = staging.context().manifest.file.read_text().replace("url@1", "url@2")
    assert roll_back(staging.context(text), Request()).release == "v1"


def test_no_secret_named_and_no_secret_there(staging: Staging) -> None:
    plain = staging.context().manifest.file.read_text()
    with pytest.raises(InputError, match=r"no database_secret(.|\n)*migration-database-url@1"):
        migrations.apply(staging.context(plain.replace(SECRET, "")), "backend", phase="expand", release="v1")
    with pytest.raises(CredentialsError, match="migration-database-url@7 of techmate-staging cannot be read"):
        migrations.apply(staging.context(plain.replace("url@1", "url@7")), "backend", phase="expand", release="v1")
    with pytest.raises(InputError, match="'sideways' is no phase"):
        migrations.apply(staging.context(plain), "backend", phase="sideways", release="v1")
    assert migrations.apply(staging.context(plain), "web", phase="expand", release="v1") == "has no migrations"
