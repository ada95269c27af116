"""What doctor finds of the addresses of databases, and that it never shows one that cannot be read."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipelines.delivery.doctor import database
from pipelines.findings import Finding
from tests.pipelines.delivery.google_organisation import Examined, examined

pytestmark = pytest.mark.world

PROJECT, SECRET = "techmate-production", "migration-database-url"
SUBJECT = "database, production: backend, migrations"
STORE = f"gcloud secrets versions add {SECRET} --project={PROJECT} --data-file=-"


@pytest.fixture
def scene() -> Iterator[Examined]:
    with examined() as made:
        yield made


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def found(scene: Examined, address: str, **options: Any) -> Finding:
    """What is found of an address in the secret, whose first version shipmate.yml names."""
    scene.organisation.secrets.secrets.delete(f"projects/{PROJECT}/secrets/{SECRET}", None)
    scene.organisation.secrets.secrets.put(PROJECT, SECRET, address.encode())
    return asked(scene, **options)


def asked(scene: Examined, **options: Any) -> Finding:
    contexts = {"production": scene.organisation.context(scene.manifest, "production")}
    [finding] = database.look(contexts, **options)
    assert finding.subject == SUBJECT
    return finding


def resolves(*families: int) -> Callable[..., list[Any]]:
    return lambda *_args, **_more: [(family, socket.SOCK_STREAM, 6, "", ()) for family in families]


def test_an_address_that_can_be_reached(scene: Examined, listening: int) -> None:
    finding = found(scene, f"postgresql://u:S3cr3t@127.0.0.1:{listening}/techmate")
    assert (finding.state, finding.fix) == ("ok", "")
    assert finding.says == f"127.0.0.1:{listening} gives a session, and can be reached"


@pytest.mark.parametrize(
    ("address", "says", "instead"),
    [
        ("postgresql://p.ref:S3cr3t@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
         "aws-0-eu-central-1.pooler.supabase.com:6543 is a pooler in transaction mode", "port 5432"),
        ("postgresql://u:S3cr3t@ep-cool-1-pooler.eu-central-1.aws.neon.tech/main",
         "ep-cool-1-pooler.eu-central-1.aws.neon.tech:5432 is a pooler in transaction mode", "without `-pooler`"),
    ],
)  # fmt: skip
def test_a_pooler_in_transaction_mode(scene: Examined, address: str, says: str, instead: str) -> None:
    finding = found(scene, address)
    assert finding.state == "missing" and finding.says.startswith(says)
    assert instead in finding.fix and STORE in finding.fix
    assert "S3cr3t" not in str(finding)


def test_a_host_with_ipv6_alone(scene: Examined) -> None:
    address = "postgresql://postgres:S3cr3t@db.abcdefgh.supabase.co:5432/postgres"
    finding = found(scene, address, resolve=resolves(socket.AF_INET6))
    assert finding.state == "missing" and "IPv6 alone" in finding.says
    assert "session pooler" in finding.fix and STORE in finding.fix
    both = found(
        scene, address, resolve=resolves(socket.AF_INET6, socket.AF_INET), connect=lambda *_, **__: Connected()
    )
    assert both.state == "ok"


class Connected:
    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    "address",
    ["postgresql://u:S3cr3t%zz@db.example.com/name", "postgresql://u:a@S3cr3t!@db.example.com/name", "S3cr3t"],
)
def test_an_address_that_cannot_be_read_is_not_shown(scene: Examined, address: str) -> None:
    finding = found(scene, address)
    assert finding.state == "missing" and "cannot be read" in finding.says
    assert STORE in finding.fix
    assert "S3cr3t" not in str(finding.as_data())


def refusing(error: OSError) -> Callable[..., Any]:
    def connect(_address: Any, *, timeout: float) -> Any:
        assert 0 < timeout <= 10
        raise error

    return connect


@pytest.mark.parametrize(
    ("error", "state", "says"),
    [
        (ConnectionRefusedError(), "missing", "nothing listens at db.example.com:5432"),
        (socket.gaierror(-2, "Name or service not known"), "missing", "there is no host db.example.com"),
        (TimeoutError(), "unknown", "db.example.com:5432 cannot be reached from here within 5 s (timed out)"),
        (OSError(101, "Network is unreachable"), "unknown", "cannot be reached from here"),
    ],
)
def test_a_database_that_does_not_answer(scene: Examined, error: OSError, state: str, says: str) -> None:
    address = "postgresql://u:S3cr3t@db.example.com/techmate"
    finding = found(scene, address, resolve=resolves(socket.AF_INET), connect=refusing(error))
    assert finding.state == state and says in finding.says
    assert finding.fix


def test_the_socket_of_a_machine_is_unknown(scene: Examined) -> None:
    assert found(scene, "host=/cloudsql/a:b:c user=u dbname=techmate").state == "unknown"


def test_a_secret_without_that_version_is_missing(scene: Examined) -> None:
    scene.organisation.secrets.secrets.delete(f"projects/{PROJECT}/secrets/{SECRET}", None)
    finding = asked(scene)
    assert (finding.state, finding.fix.startswith(STORE)) == ("missing", True)


def test_a_secret_that_may_not_be_read_is_unknown(scene: Examined) -> None:
    scene.organisation.allow(frozenset())
    finding = asked(scene)
    assert finding.state == "unknown" and "secretmanager.versions.access" in finding.says
