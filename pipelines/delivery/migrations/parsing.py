"""What the statements of a migration change. Pure.

Only what rules and counts need is understood; anything else is an `other`, of which nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from pipelines.delivery.migrations import definitions
from pipelines.delivery.migrations.changes import Change, Name
from pipelines.delivery.migrations.sql import Statement, statements
from pipelines.delivery.migrations.words import Words, column_names, outside, split


def read(text: str) -> list[Change]:
    """What a text changes, in order. Raises InputError for one whose quotes do not end."""
    return [change for statement in statements(text) for change in of(statement)]


def of(statement: Statement) -> list[Change]:
    """What one statement changes: at least one change."""
    words = Words(statement.tokens)
    made = list(_read(words))
    return [replace(change, line=change.line or statement.line) for change in made or [Change(action="other")]]


_OBJECTS = ("MATERIALIZED VIEW", "FOREIGN TABLE", "TABLE", "VIEW", "TYPE", "DOMAIN", "SCHEMA", "FUNCTION", "PROCEDURE", "ROUTINE",
            "AGGREGATE", "SEQUENCE", "EXTENSION", "TRIGGER", "POLICY", "RULE", "INDEX", "DATABASE")  # fmt: skip
_PLAIN = (
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "COPY",
    "SELECT",
    "WITH",
    "COMMENT",
    "GRANT",
    "REVOKE",
    "SET",
    "ANALYZE",
)
_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "END", "ABORT", "START")


def _read(words: Words) -> Iterator[Change]:
    first = words.next()
    kind = first.word if first else ""
    reader = _READERS.get(kind)
    if reader is not None:
        yield from reader(words)
    elif kind in _TRANSACTION:
        yield Change(action="transaction", name=kind)
    elif kind in _PLAIN:
        yield _rows(kind, words)


def _rows(kind: str, words: Words) -> Change:
    """What is done with rows. WITH may lead to any of the others."""
    left = [token.word for token in outside(words.left)]
    if kind == "WITH":
        kind = next((word for word in left if word in ("INSERT", "UPDATE", "DELETE", "MERGE")), "SELECT")
    flags = frozenset(
        flag
        for flag, there in (
            ("where", "WHERE" in left),
            ("on conflict", "CONFLICT" in left),
            ("program", "PROGRAM" in left),
        )
        if there
    )
    table: Name = ()
    if kind in ("UPDATE", "INSERT", "DELETE"):
        words.any("INTO", "FROM")
        words.take("ONLY")
        table = words.name()
    return Change(action=kind.lower(), table=table, flags=flags)


def _object(words: Words) -> str:
    """Which kind of object comes next: `table`, `materialized view`, …"""
    return next((kind.lower() for kind in _OBJECTS if words.take(*kind.split())), "")


def _create(words: Words) -> Iterator[Change]:
    flags = words.flags(or_replace="OR REPLACE")
    if words.any("TEMP", "TEMPORARY"):
        flags |= {"temporary"}
    words.any("UNLOGGED", "GLOBAL", "LOCAL")
    words.take("CONSTRAINT")
    flags |= words.flags(unique="UNIQUE")
    kind = _object(words)
    if kind == "index":
        yield _create_index(words, flags)
        return
    flags |= words.flags(if_not_exists="IF NOT EXISTS")
    name = words.name()
    yield Change(
        action=f"create {kind or 'other'}",
        name=".".join(name),
        table=name if kind == "table" else (),
        flags=flags,
    )


def _create_index(words: Words, flags: frozenset[str]) -> Change:
    flags |= words.flags(concurrently="CONCURRENTLY") | words.flags(if_not_exists="IF NOT EXISTS")
    name = () if words.peek("ON") else words.name()
    words.take("ON")
    words.take("ONLY")
    table = words.name()
    if words.take("USING"):
        words.next()
    columns = column_names(words.inside())
    if words.has("NULLS", "NOT", "DISTINCT"):
        flags |= {"nulls not distinct"}
    words.until("WHERE")
    where = words.left[1:]
    return Change(
        action="create index",
        table=table,
        name=name[-1] if name else "",
        columns=columns,
        expression=where,
        flags=flags,
    )


def _drop(words: Words) -> Iterator[Change]:
    kind = _object(words)
    flags = words.flags(concurrently="CONCURRENTLY") | words.flags(if_exists="IF EXISTS")
    if any(token.word == "CASCADE" for token in words.left):
        flags |= {"cascade"}
    for part in split(words.left):
        name = Words(part).name()
        yield Change(
            action=f"drop {kind or 'other'}",
            name=name[-1],
            table=name if kind in ("table", "index") else (),
            flags=flags,
        )


def _alter(words: Words) -> Iterator[Change]:
    if words.take("SYSTEM"):
        yield Change(action="alter system")
        return
    kind = _object(words)
    if kind == "table":
        words.take("IF", "EXISTS")
        words.take("ONLY")
        table = words.name()
        words.take("*")
        for part in split(words.left):
            for change in _table_action(Words(part), table):
                yield replace(change, table=table, line=part[0].line)
        return
    words.take("IF", "EXISTS")
    name = ".".join(words.name())
    if words.has("RENAME") or words.take("SET", "SCHEMA"):
        yield Change(action="rename", name=name)
    elif words.take("ADD", "VALUE"):
        yield Change(action="add value", name=name, flags=words.flags(if_not_exists="IF NOT EXISTS"))
    else:
        yield Change(action=f"alter {kind or 'other'}", name=name)


def _table_action(words: Words, table: Name) -> Iterator[Change]:
    if words.take("ADD"):
        yield from definitions.add(words)
    elif words.take("DROP"):
        yield _drop_of_table(words)
    elif words.take("ALTER"):
        words.take("COLUMN")
        yield _alter_column(words)
    elif words.take("RENAME"):
        yield Change(action="rename", name=".".join(table))
    elif words.take("VALIDATE", "CONSTRAINT"):
        yield Change(action="validate", name=words.name()[-1])
    elif words.take("SET"):
        yield Change(action="rename" if words.take("SCHEMA") else _storage(words), name=".".join(table))
    elif words.take("DETACH", "PARTITION"):
        name = words.name()
        yield Change(action="detach", name=name[-1], flags=words.flags(concurrently="CONCURRENTLY"))
    else:
        yield Change(action="alter table")


def _storage(words: Words) -> str:
    """SET LOGGED, UNLOGGED, TABLESPACE and ACCESS METHOD write the whole table again; SET (…) does not."""
    rewrites = words.any("LOGGED", "UNLOGGED", "TABLESPACE") or words.take("ACCESS", "METHOD")
    return "rewrite" if rewrites else "alter table"


def _drop_of_table(words: Words) -> Change:
    kind = "constraint" if words.take("CONSTRAINT") else "column"
    words.take("COLUMN")
    flags = words.flags(if_exists="IF EXISTS")
    return Change(action=f"drop {kind}", name=words.name()[-1], flags=flags)


def _alter_column(words: Words) -> Change:
    column = words.name()[-1]
    if words.take("SET", "NOT", "NULL"):
        return Change(action="set not null", name=column)
    if words.take("SET", "DATA", "TYPE") or words.take("TYPE"):
        kind = words.until("USING", "COLLATE")
        words.until("USING")
        return Change(action="set type", name=column, type=definitions.type_of(kind), expression=words.left[1:])
    return Change(action="alter column", name=column)


def _reindex(words: Words) -> Iterator[Change]:
    there = any(token.word == "CONCURRENTLY" for token in words.left)
    yield Change(action="reindex", flags=frozenset({"concurrently"}) if there else frozenset())


def _refresh(words: Words) -> Iterator[Change]:
    words.take("MATERIALIZED", "VIEW")
    flags = words.flags(concurrently="CONCURRENTLY")
    yield Change(action="refresh", name=".".join(words.name()), flags=flags)


def _vacuum(words: Words) -> Iterator[Change]:
    full = any(token.word == "FULL" for token in words.left)
    yield Change(action="vacuum", flags=frozenset({"full"}) if full else frozenset())


def _lock(words: Words) -> Iterator[Change]:
    words.take("TABLE")
    words.take("ONLY")
    yield Change(action="lock", table=words.name())


def _cluster(words: Words) -> Iterator[Change]:
    words.take("VERBOSE")
    yield Change(action="cluster", table=words.name())


def _truncate(words: Words) -> Iterator[Change]:
    words.take("TABLE")
    words.take("ONLY")
    for part in split(words.left):
        yield Change(action="truncate", table=Words(part).name())


def _code(words: Words) -> Iterator[Change]:
    """DO and CALL run code; EXECUTE runs what was prepared."""
    yield Change(action="code")


_READERS: dict[str, Callable[[Words], Iterator[Change]]] = {
    "CREATE": _create,
    "DROP": _drop,
    "ALTER": _alter,
    "REINDEX": _reindex,
    "REFRESH": _refresh,
    "VACUUM": _vacuum,
    "LOCK": _lock,
    "CLUSTER": _cluster,
    "TRUNCATE": _truncate,
    "DO": _code,
    "CALL": _code,
    "EXECUTE": _code,
}
