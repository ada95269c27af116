"""Fills a new, empty database. A database that lives on is migrated by `shipmate migrate`, which keeps a record."""

from __future__ import annotations

from pathlib import Path

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def apply_all(database_url: str) -> None:
    """Run every migration, in the order of the numbers, on a database that has seen none of them."""
    import psycopg

    with psycopg.connect(database_url) as connection:
        for path in sorted(MIGRATIONS.glob("*.sql")):
            connection.execute(path.read_bytes())
