"""What is stored for the secrets that services name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rehearsal import definition
from rehearsal.definition import Definition
from rehearsal.emulators.secret_manager.seeding import secret_values
from tests.rehearsal.example_manifest import written

OFFERED: Mapping[str, Callable[[str], str]] = {
    "database": "postgres of {}".format,
    "cache": "redis of {}".format,
    "error_reports": "dsn of {}".format,
}


@pytest.fixture
def wanted(tmp_path: Path) -> Definition:
    return definition.read(written(tmp_path))


def test_secrets_are_each_environments_own(wanted: Definition) -> None:
    values = secret_values(wanted, **OFFERED)
    assert values[("acme-staging", "database-url")] == "postgres of staging"
    assert values[("acme-production", "migration-database-url")] == "postgres of production"
    assert values[("acme-production", "redis-url")] == "redis of production"
    assert len(values) == 6


def test_secrets_of_any_name_are_made(wanted: Definition) -> None:
    names = ("carrier-key", "orders-redis-url", "orders-sentry-dsn", "ledger")
    service = dataclasses.replace(wanted.services[0], component="orders", secrets=names, database_secret="ledger")
    held = secret_values(dataclasses.replace(wanted, services=(service,)), **OFFERED)
    values = [held[(service.project, name)] for name in names]
    assert values[1:] == ["redis of staging", "dsn of orders", "postgres of staging"]
    assert len(values[0]) == 32, "whatever nobody can guess"
