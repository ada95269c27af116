"""Indexes made CONCURRENTLY: one whose making failed is left behind invalid, and IF NOT EXISTS would take it for the real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.delivery.migrations import parsing, sql

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, kw_only=True)
class Index:
    """One that a part of a migration makes; `table` with its schema if that is written."""

    table: tuple[str, ...]
    name: str


def made_by(part: str) -> Index | None:
    """The index that a part makes CONCURRENTLY, if it has a name: without one nobody could say which it is."""
    for change in parsing.read(part):
        if change.action == "create index" and change.has("concurrently") and change.name:
            return Index(table=change.table, name=change.name)
    return None


def valid(connection: psycopg.Connection[Any], index: Index) -> bool | None:
    """Whether it may be used; None when it is not there."""
    found = _found(connection, index)
    return found[1] if found else None


def drop_invalid(connection: psycopg.Connection[Any], index: Index) -> bool:
    """Drop what a failed making left behind; whether there was something."""
    found = _found(connection, index)
    if found is None or found[1]:
        return False
    connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {sql.quoted(found[0], index.name)}".encode())
    return True


def _found(connection: psycopg.Connection[Any], index: Index) -> tuple[str, bool] | None:
    """(schema, valid)"""
    return connection.execute(
        "SELECT n.nspname, i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.indrelid = to_regclass(%s) AND c.relname = %s",
        (sql.quoted(*index.table), index.name),
    ).fetchone()
