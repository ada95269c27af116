"""How many rows would violate what a migration asks of them, counted before it runs, in a session that can only read.

Before anybody approved a release, none of its SQL may reach production: the counts are then made from names and from conditions that are
understood (conditions.py). Afterwards, and on a copy, the condition of a CHECK may be asked as it is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.delivery.migrations import conditions, parsing, sql
from pipelines.delivery.migrations.changes import Change, Name
from pipelines.delivery.migrations.files import Migration

if TYPE_CHECKING:
    import psycopg

State = Literal["fits", "violated", "refused", "unknown"]
"""`refused`: Postgres would not take the statement at all."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one demand that a migration makes of the rows."""

    file: str
    line: int
    what: str
    """Like `CHECK short of notes: char_length(body) <= 1000`"""
    state: State
    rows: int = 0
    """That violate it."""
    why: str = ""
    """Why it is not known, or what Postgres answered."""

    def __str__(self) -> str:
        values = {
            "fits": "every row fits",
            "violated": f"{self.rows} row(s) violate it",
            "refused": f"refused: {self.why}",
            "unknown": f"not known before it runs: {self.why}",
        }
        return f"{self.file}:{self.line}: {self.what}: {values[self.state]}"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """In seconds: of one count, and of all of them."""

    each: float = 5.0
    all: float = 20.0


_SECONDS = 5.0
"""For what is asked of the catalogue."""


class NotCounted(Exception):
    """Why something is not known."""


@contextmanager
def reading(address: str, *, connect: float = 3.0) -> Iterator[psycopg.Connection[Any]]:
    """A session that can only read, and waits for nobody. Raises psycopg.Error."""
    import psycopg

    with psycopg.connect(
        address, autocommit=True, connect_timeout=max(2, int(connect)), application_name="shipmate count"
    ) as connection:
        connection.execute("SET default_transaction_read_only = on")
        connection.execute(f"SET statement_timeout = {int(_SECONDS * 1000)}")
        connection.execute("SET lock_timeout = 1000")
        connection.execute("SET standard_conforming_strings = on")
        yield connection


def count(
    connection: psycopg.Connection[Any],
    due: Sequence[Migration],
    files: Sequence[Migration],
    *,
    written: bool,
    bounds: Bounds,
) -> list[Finding]:
    """What the rows would say to each migration that is due. `files`: all of the folder; `written`: a CHECK may be asked as written."""
    counting = _Counting(connection, files, bounds, written=written)
    end = time.monotonic() + bounds.all
    return [found for migration in due for found in counting.findings(migration, end)]


class _Counting:
    """The counts of one database. What an earlier migration that is due makes is not there yet, and has no rows."""

    def __init__(
        self, connection: psycopg.Connection[Any], files: Sequence[Migration], bounds: Bounds, *, written: bool
    ) -> None:
        self._connection, self._written, self._bounds = connection, written, bounds
        self._made: set[Name] = set()
        self._columns: set[tuple[Name, str]] = set()
        self._named: dict[tuple[Name, str], tuple[Migration, Change]] = {
            (change.table, change.name): (migration, change)
            for migration in files
            for change in parsing.read(migration.sql)
            if change.action in ("add check", "add foreign key") and change.name
        }
        """What VALIDATE CONSTRAINT may name."""

    def findings(self, migration: Migration, end: float) -> Iterator[Finding]:
        for change in parsing.read(migration.sql):
            if change.action == "create table" and self._oid(change.table) is None:
                self._made.add(change.table)
            if change.action == "add column":
                self._columns.add((change.table, change.name))
            if change.table in self._made:
                continue
            what = _says(change, migration)
            if what:
                yield self._finding(migration, change, what, end)

    def _finding(self, migration: Migration, change: Change, what: str, end: float) -> Finding:
        state: State = "unknown"
        rows, why = 0, ""
        try:
            if time.monotonic() > end:
                raise NotCounted("the counts before took too long")
            rows = self._ask(self._query(migration, change))
            state = "violated" if rows else "fits"
        except NotCounted as error:
            why = str(error)
        return Finding(file=migration.file, line=change.line, what=what, state=state, rows=rows, why=why)

    def _ask(self, query: str) -> int:
        """The number that a query answers with. By the extended protocol, which takes one statement alone."""
        import psycopg

        try:
            with self._connection.transaction():
                self._connection.execute(f"SET LOCAL statement_timeout = {int(self._bounds.each * 1000)}")
                row = self._connection.execute(query.encode(), binary=True).fetchone()
        except psycopg.errors.QueryCanceled as error:
            raise NotCounted("the count took too long") from error
        except psycopg.Error as error:
            if self._connection.broken:
                raise
            raise NotCounted(f"Postgres says: {error.diag.message_primary or error}") from error
        return int(row[0] or 0) if row else 0

    def _query(self, migration: Migration, change: Change) -> str:
        """The query whose answer is the number of rows that violate a change. Raises NotCounted."""
        if change.action in ("update", "insert", "delete", "merge", "code"):
            raise NotCounted("it changes rows, or runs code")
        if change.action == "validate":
            migration, named = self._named.get((change.table, change.name), (migration, change))
            if named is change:
                raise NotCounted("no migration here adds it")
            change = named
        if self._oid(change.table) is None:
            raise NotCounted(f"there is no table {'.'.join(change.table)} yet")
        table = sql.quoted(*change.table)
        if change.action == "add column":
            return f"SELECT count(*) FROM {table}"  # noqa: S608 - a quoted name
        if change.action == "set not null":
            column = self._column(change.table, change.name)
            return f"SELECT count(*) FROM {table} WHERE {column} IS NULL"  # noqa: S608 - quoted names
        if change.action == "add check":
            return self._check(migration, change, table)
        if change.action in ("add unique", "add primary key", "create index"):
            return self._unique(change, table)
        if change.action == "add foreign key":
            return self._foreign_key(change, table)
        if change.action == "set type":
            return self._type(change, table)
        raise NotCounted("it is of no kind that is counted")

    def _check(self, migration: Migration, change: Change, table: str) -> str:
        known = conditions.understand(change.expression)
        if known is not None:
            for column in known.columns:
                self._column(change.table, column)
            return f"SELECT count(*) FROM {table} WHERE NOT ({known.text})"  # noqa: S608 - made from names and values
        if not self._written:
            raise NotCounted("its condition is more than comparisons; it is asked once the release is approved")
        text = sql.written(change.expression, migration.sql)
        return f"SELECT count(*) FROM {table} WHERE NOT (\n{text}\n)"  # noqa: S608 - approved, and the session can only read

    def _unique(self, change: Change, table: str) -> str:
        if not change.columns or change.expression or change.has("nulls not distinct"):
            raise NotCounted("it is over an expression, or over some of the rows")
        names = [self._column(change.table, column) for column in change.columns]
        keyed, there = ", ".join(names), " AND ".join(f"{name} IS NOT NULL" for name in names)
        twice = (
            f"SELECT coalesce(sum(n), 0)::bigint AS n FROM (SELECT count(*) AS n FROM {table} WHERE {there} "  # noqa: S608 - quoted names
            f"GROUP BY {keyed} HAVING count(*) > 1) AS twice"
        )
        if change.action != "add primary key":
            return twice
        return f"SELECT ({twice}) + (SELECT count(*) FROM {table} WHERE NOT ({there}))"  # noqa: S608 - quoted names

    def _foreign_key(self, change: Change, table: str) -> str:
        theirs = change.refers_columns or self._key(change.refers)
        if self._oid(change.refers) is None or len(theirs) != len(change.columns) or not theirs:
            raise NotCounted(f"{'.'.join(change.refers)} is not there yet, or has no such key")
        mine = [f"mine.{self._column(change.table, column)}" for column in change.columns]
        equal = [f"theirs.{self._column(change.refers, their)} = {my}" for my, their in zip(mine, theirs, strict=True)]
        there = " AND ".join(f"{each} IS NOT NULL" for each in mine)
        return (
            f"SELECT count(*) FROM {table} AS mine WHERE {there} AND NOT EXISTS "  # noqa: S608 - quoted names
            f"(SELECT FROM {sql.quoted(*change.refers)} AS theirs WHERE {' AND '.join(equal)})"
        )

    def _type(self, change: Change, table: str) -> str:
        """Rows that a new type does not hold, where both types are known well enough."""
        column = self._column(change.table, change.name)
        before, (kind, size) = self._type_of(change.table, change.name), _base(change.type)
        if before in _WHOLE and kind in _WHOLE and not change.expression:
            low, high = _WHOLE[kind]
            return f"SELECT count(*) FROM {table} WHERE {column} NOT BETWEEN {low} AND {high}"  # noqa: S608 - a quoted name
        if before in _TEXTS and kind in ("text", "varchar") and not change.expression:
            # What is too long only by its spaces is cut without a word.
            longer = (
                f"WHERE pg_catalog.char_length(pg_catalog.rtrim({column}::text, ' ')) > {size}"
                if size
                else "WHERE false"
            )
            return f"SELECT count(*) FROM {table} {longer}"  # noqa: S608 - a quoted name and a number
        raise NotCounted(f"whether {before} becomes {change.type} without loss is not counted")

    def _oid(self, table: Name) -> int | None:
        row = self._connection.execute("SELECT to_regclass(%s)::oid", (sql.quoted(*table),)).fetchone()
        return row[0] if row else None

    def _type_of(self, table: Name, column: str) -> str:
        row = self._connection.execute(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute "
            "WHERE attrelid = to_regclass(%s) AND attname = %s AND attnum > 0 AND NOT attisdropped",
            (sql.quoted(*table), column),
        ).fetchone()
        return str(row[0]) if row else ""

    def _column(self, table: Name, column: str) -> str:
        """Quoted. Raises NotCounted for one that is not there: Postgres would take its name for something else."""
        if not self._type_of(table, column):
            soon = (table, column) in self._columns
            raise NotCounted(f"{column} is {'made by a migration that is due' if soon else 'no column of it'}")
        return sql.quoted(column)

    def _key(self, table: Name) -> tuple[str, ...]:
        """The columns of its primary key, in order."""
        rows = self._connection.execute(
            "SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place) "
            "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
            "WHERE i.indrelid = to_regclass(%s) AND i.indisprimary ORDER BY k.place",
            (sql.quoted(*table),),
        ).fetchall()
        return tuple(row[0] for row in rows)


_WHOLE = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_TEXTS = ("text", "character varying")
_SHORT = {"int": "integer", "int4": "integer", "int2": "smallint", "int8": "bigint", "character varying": "varchar"}


def _base(kind: str) -> tuple[str, int]:
    """`character varying(20)` -> (varchar, 20)"""
    name, _, size = kind.partition("(")
    name = " ".join(name.split())
    number = size.rstrip(") ")
    return _SHORT.get(name, name), int(number) if number.isdigit() else 0


_WORDS = {
    "add check": "CHECK", "add unique": "UNIQUE", "add primary key": "PRIMARY KEY", "add foreign key": "FOREIGN KEY",
    "add exclude": "EXCLUDE", "set not null": "NOT NULL", "set type": "new type", "validate": "VALIDATE", "create index": "UNIQUE INDEX",
    "add column": "new NOT NULL column", "update": "UPDATE", "insert": "INSERT", "delete": "DELETE", "merge": "MERGE", "code": "code",
}  # fmt: skip


def _says(change: Change, migration: Migration) -> str:
    """What is asked of the rows, in words; empty when nothing is."""
    asks = change.action in _WORDS and not (
        change.has("not valid")
        or change.has("using index")
        or (change.action == "create index" and not change.has("unique"))
        or (change.action == "add column" and (not change.has("not null") or change.has("default")))
    )
    if not asks:
        return ""
    what = " ".join(filter(None, (_WORDS[change.action], change.name or ", ".join(change.columns))))
    on = f" of {'.'.join(change.table)}" if change.table else ""
    condition = " ".join(sql.written(change.expression, migration.sql).split()) if change.action == "add check" else ""
    return what + on + (f": {condition[:200]}" if condition else "")
