"""Migrations by a job of the release's image: a real image, a real Postgres, and an address that works in the service's network alone."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from pipelines.delivery.context import Context, Release
from pipelines.delivery.migrations import due, planned
from pipelines.delivery.migrations.order import Order
from pipelines.errors import InputError, ProviderError, RefusedError
from pipelines.images.assemble import assemble
from pipelines.images.model import BuiltImage
from pipelines.images.store import Store
from pipelines.manifest import load
from pipelines.providers import Credentials
from pipelines.runtime import Runtime
from rehearsal.base_image import stand_in_base
from rehearsal.emulators.cloud_run.names import JobName
from rehearsal.services.postgres import Postgres
from rehearsal.world.composition import WHEELS
from tests.memory_hosts import MemoryHost, Writes
from tests.pipelines.images.repository import git
from tests.pipelines.providers.clouds import Clouds, clouds
from tests.shop_files import FILES, MANIFEST

pytestmark = pytest.mark.world

INSTANCE = "techmate-staging:europe-west1:main"
REGISTRY = "europe-west1-docker.pkg.dev/techmate-delivery/platform/backend"
NAME = JobName("techmate-staging", "europe-west1", "api-migrate")
NOTES = {"0001_notes.expand.sql": "CREATE TABLE notes (id int, old text)"}
DROPPED = {
    "0002_new.expand.sql": "ALTER TABLE notes ADD COLUMN new text",
    "0003_drop.contract.sql": "ALTER TABLE notes DROP COLUMN old",
}
CHECKED = {
    "0002_more.expand.sql": "CREATE TABLE more (id int)",
    "0003_check.expand.sql": "ALTER TABLE notes ADD CONSTRAINT c CHECK (old ~ '^a') NOT VALID",
    "0004_validate.expand.sql": "ALTER TABLE notes VALIDATE CONSTRAINT c",
}
BY_JOB = f"""
      migrate_by: job
      database_secret: migration-database-url@1
      cloud_sql: [{INSTANCE}]
"""
_numbers = count(1)


@dataclass(kw_only=True)
class Network:
    """The clouds, and a Postgres that the sockets of Cloud SQL lead to."""

    cloud: Clouds
    postgres: Postgres

    def do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.cloud.loop).result(60)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("network")
    postgres = Postgres(folder / "postgres")
    with clouds(folder / "clouds", database_server=lambda: ("127.0.0.1", postgres.port)) as cloud:
        network = Network(cloud=cloud, postgres=postgres)
        network.do(postgres.start())
        try:
            yield network
        finally:
            network.do(postgres.stop())


class Staging:
    """One environment whose database only its own network reaches."""

    def __init__(self, root: Path, network: Network, store: Path) -> None:
        self.root, self.cloud, self.store = root, network.cloud, store
        self.log = io.StringIO()
        self.host = MemoryHost(url="https://api-staging.techmate.ai", gradual=False, writes=Writes())
        name = f"by_job_{next(_numbers)}"
        self.database = network.do(network.postgres.create_database(name, user=name, password="not-a-secret"))
        self.address = f"postgresql://{name}:not-a-secret@/{name}?host=/cloudsql/{INSTANCE}"
        self.secret = f"migration-url-{next(_numbers)}"
        self.cloud.secrets.secrets.put("techmate-staging", self.secret, self.address.encode())
        self.put(FILES | {"apps/backend/requirements.txt": "# nothing is needed\n", "shipmate.yml": self.manifest()})
        git(root, "init", "-q", "-b", "main")

    def manifest(self, *, migrator: bool = True) -> str:
        text = MANIFEST.replace(
            "    paths: [apps/backend/**]\n", "    paths: [apps/backend/**]\n    migrations: migrations\n"
        ).replace("      command: [python]\n", "      command: [python]\n      migrator: true\n", int(migrator))
        by_job = BY_JOB.replace("migration-database-url", self.secret).strip("\n")
        return text.replace("      service: api\n", f"      service: api\n{by_job}\n", 1)

    def put(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def context(self, name: str, image: str = "") -> Context:
        environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": "token", "GITHUB_ACTIONS": "true"}
        runtime = Runtime(environ=environ, stream=self.log)
        return Context(
            manifest=load(self.root / "shipmate.yml"),
            environment="staging",
            runtime=runtime,
            http=self.cloud.http,
            credentials=Credentials(http=self.cloud.http, runtime=runtime),
            host_of=lambda component: self.host,
            release=Release(name=name, commit="c" * 40, artifacts={"backend": image}),
        )

    def image(self) -> str:
        """Of what is committed now, with what its builder put in; its reference by digest."""
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "--allow-empty", "-m", "release")
        base = stand_in_base()
        documents = {base.digest: base.manifest, _config_of(base.manifest): base.config}
        component = load(self.root / "shipmate.yml").components["backend"]
        assert component.image is not None
        built = assemble(
            component,
            self.root,
            "HEAD",
            fetch=lambda at, kind, digest: documents[digest],
            store=Store(self.store),
            source="",
            bases={component.image.base: f"docker.io/library/python@{base.digest}"},
            platform=WHEELS or "x86_64-manylinux_2_28",
        )
        return self._pushed(built, base.layer)

    def _pushed(self, built: BuiltImage, base: bytes) -> str:
        repositories = self.cloud.registry.repositories
        path = REGISTRY.partition("/")[2]
        repository = repositories.writable(path)
        for content in (base, *(b"".join(blob) for blob in built.blobs if blob.content is not None)):
            repository.blobs.add(repositories.blobs.put(content))
        repositories.put_manifest(path, built.digest, "application/vnd.oci.image.manifest.v1+json", built.manifest)
        return f"{REGISTRY}@{built.digest}"

    def release(self, name: str, files: dict[str, str] | None = None, **more: Any) -> str:
        """Migrate as the release's job does, then have it live; what is reported."""
        self.put({f"migrations/{file}": text for file, text in (files or {}).items()})
        image = self.image()
        result = due.apply(self.context(name, image), "backend", phase=due.DUE, release=name, **more)
        schema = max(file.name[:4] for file in (self.root / "migrations").iterdir())
        self.host.put(name, "c" * 40, image.partition("@")[2], schema=schema)
        return result

    def columns(self) -> list[str]:
        with psycopg.connect(self.database) as connection:
            rows = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'notes' ORDER BY 1"
            )
            return [row[0] for row in rows]

    def printed(self) -> str:
        """By the newest execution."""
        newest = self.cloud.run.jobs.executions(NAME)[0]
        return "\n".join(line.text for line in self.cloud.run.execution_logs(NAME, newest.name))


def _config_of(manifest: bytes) -> str:
    import json

    return str(json.loads(manifest)["config"]["digest"])


@pytest.fixture
def staging(tmp_path: Path, network: Network, tmp_path_factory: pytest.TempPathFactory) -> Staging:
    return Staging(tmp_path / "platform", network, tmp_path_factory.getbasetemp() / "images")


def test_the_address_works_in_the_services_network_alone(staging: Staging) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(staging.address)
    staging.release("v1", NOTES)
    assert staging.columns() == ["id", "old"]
    assert urlsplit(staging.address).password not in staging.log.getvalue()


def test_expand_with_the_release_and_contract_once_nothing_needs_it(staging: Staging) -> None:
    result = staging.release("v1", NOTES)
    assert result.startswith("the job applied what the database lacked: api-migrate-")
    assert "applied 0001_notes.expand.sql" in staging.printed()
    staging.release("v2", DROPPED)
    assert staging.columns() == ["id", "new", "old"], "v1 serves until v2 does"
    assert staging.host.live().marks.contracts == "0000"
    staging.release("v3")
    assert staging.columns() == ["id", "new"]
    assert staging.host.live().marks.contracts == "0003", "a rollback asks no database what v1 lacks"
    staging.release("v4")
    assert "nothing was applied" in staging.printed()


def test_modules_of_the_application_are_not_taken_for_those_that_migrate(staging: Staging) -> None:
    """`python -m` looks into the working directory first, and `pipelines` is a name that applications have too."""
    manifest = staging.manifest().replace(
        "sources: [apps/backend]", "sources: [apps/backend, own/pipelines -> pipelines]"
    )
    staging.put({"own/pipelines/__init__.py": "raise SystemExit('the application')\n", "shipmate.yml": manifest})
    staging.release("v1", NOTES | {"README.md": "how it is done", "old/0001_notes.expand.sql": "SELECT 1"})
    assert "applied 0001_notes.expand.sql" in staging.printed()


def test_a_contract_that_was_not_planned_waits(staging: Staging) -> None:
    staging.release("v1", NOTES)
    staging.release("v2", DROPPED)
    staging.release("v3", most="0002")
    assert staging.columns() == ["id", "new", "old"]


def test_rows_that_one_would_refuse_stop_all_of_them_before_the_first(staging: Staging) -> None:
    staging.release("v1", NOTES)
    with psycopg.connect(staging.database) as connection:
        connection.execute("INSERT INTO notes VALUES (1, 'abc'), (2, 'xyz')")
    with pytest.raises(RefusedError, match=r"exit code 6, Refused") as refused:
        staging.release("v2", CHECKED)
    assert "console.cloud.google.com" in refused.value.next_step
    assert "0004_validate.expand.sql:1: VALIDATE c of notes: 1 row(s) violate it" in staging.printed()
    with psycopg.connect(staging.database) as connection:
        assert connection.execute("SELECT to_regclass('more')").fetchone() == (None,)


def test_what_rows_refuse_marks_nothing_for_a_rollback(staging: Staging) -> None:
    """The job is asked first whether all of it fits, and only then is marked what earlier releases miss."""
    staging.release("v1", NOTES)
    with psycopg.connect(staging.database) as connection:
        connection.execute("INSERT INTO notes VALUES (2, 'xyz')")
    check, validate = CHECKED["0003_check.expand.sql"], CHECKED["0004_validate.expand.sql"]
    staging.release("v2", {"0002_check.expand.sql": check, "0003_validate.contract.sql": validate})
    with pytest.raises(RefusedError, match="counts the rows"):
        staging.release("v3")
    assert staging.host.live().marks.contracts == "0000"


def test_a_release_without_a_migrator_is_refused_when_it_is_planned(staging: Staging) -> None:
    context = staging.context("v1")
    object.__setattr__(context.manifest.components["backend"].image, "migrator", False)
    with pytest.raises(RefusedError, match="does not bring its migrations"):
        planned.tried(context, "backend", [], [])


def test_a_plan_says_that_rows_are_counted_later(staging: Staging) -> None:
    staging.put({f"migrations/{file}": text for file, text in NOTES.items()})
    found = planned.tried(staging.context("v1"), "backend", list(NOTES), [])
    assert found.by == "nothing"
    assert found.warnings() == [
        "backend: whether its migrations fit the rows is not known before they run: the job that applies them counts the rows first, "
        "in the network of the database"
    ]


def test_a_job_that_cannot_start_is_the_providers_failure(staging: Staging) -> None:
    staging.put({f"migrations/{file}": text for file, text in NOTES.items()})
    context = staging.context("v1", f"{REGISTRY}@sha256:{'0' * 64}")
    with pytest.raises(ProviderError, match="not found"):
        due.apply(context, "backend", phase=due.DUE, release="v1")


def test_an_order_of_another_version_is_refused() -> None:
    order = Order(component="backend", phases=("expand",), release="v1", serving=("0001",), only_fit=True)
    assert Order.read(order.written()) == order
    for text in ("{}", "nonsense", "[]"):
        with pytest.raises(InputError, match="no order to migrate"):
            Order.read(text)
