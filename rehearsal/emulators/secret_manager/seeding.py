"""The secrets that the platform's services name, with what the world has for each."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from rehearsal.definition import Definition, Service


def secret_values(
    definition: Definition,
    *,
    database: Callable[[str], str],
    cache: Callable[[str], str],
    error_reports: Callable[[str], str],
) -> dict[tuple[str, str], str]:
    """(project, secret) -> value, for every secret a service names: the address of what the world has, known by how the name ends
    (`shop-database-url`) or as the `database_secret`; for any other something that nobody can guess. What a job migrates by a socket of
    Cloud SQL has the address of that socket, which no other machine has."""
    made: dict[tuple[str, str], str] = {}
    for service in definition.services:
        known = {
            "database-url": database(service.environment),
            "redis-url": cache(service.environment),
            "sentry-dsn": error_reports(service.component),
        }
        for name in service.secrets:
            if name == service.database_secret:
                value = _for_migrations(known["database-url"], service)
            else:
                value = next((held for end, held in known.items() if name.endswith(end)), secrets.token_hex(16))
            made[(service.project, name)] = value
    return made


def _for_migrations(url: str, service: Service) -> str:
    """Source: cloud.google.com/sql/docs/postgres/connect-run (sockets)."""
    if not (service.migrates_by_job and service.cloud_sql):
        return url
    parts = urlsplit(url)
    account = parts.netloc.rpartition("@")[0]
    return f"{parts.scheme}://{account}@{parts.path}?host=/cloudsql/{service.cloud_sql[0]}"
