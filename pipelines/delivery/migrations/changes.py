"""What the statements of a migration change, as data: what rules judge and counts are made from. Pure.

Only what these need is understood; anything else is an `other`, of which nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pipelines.delivery.migrations.sql import Statement, Token, statements

Name = tuple[str, ...]
"""Of a table or an index, with its schema if it is written: ("notes",) or ("app", "notes")."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change that a statement makes; `ALTER TABLE a …, …` does several."""

    action: str
    """Like `add column`, `add check`, `create index`, `drop table`, `update`, `other`."""
    line: int = 0
    table: Name = ()
    name: str = ""
    """Of the column, the constraint, the index, or whatever else it is about."""
    columns: tuple[str, ...] = ()
    """Of a key or an index; empty when one of them is an expression."""
    expression: tuple[Token, ...] = ()
    """Of a CHECK, without its parentheses; of a partial index, after WHERE; of USING."""
    refers: Name = ()
    refers_columns: tuple[str, ...] = ()
    type: str = ""
    """Of a column, in small letters: `character varying(20)`."""
    flags: frozenset[str] = field(default_factory=frozenset)
    """concurrently, if exists, if not exists, or replace, not valid, using index, not null, default, rewrites, unique, where, temporary,
    cascade, full."""

    def has(self, flag: str) -> bool:
        return flag in self.flags


def read(text: str) -> list[Change]:
    """What a text changes, in order. Raises InputError for one whose quotes do not end."""
    return [change for statement in statements(text) for change in of(statement)]


def of(statement: Statement) -> list[Change]:
    """What one statement changes: at least one change."""
    words = Words(statement.tokens)
    made = list(_read(words))
    return [replace(change, line=change.line or statement.line) for change in made or [Change(action="other")]]


class Words:
    """Tokens with a place in them."""

    def __init__(self, of: Sequence[Token]) -> None:
        self._tokens = tuple(of)
        self._place = 0

    @property
    def left(self) -> tuple[Token, ...]:
        return self._tokens[self._place :]

    def next(self) -> Token | None:
        if self._place >= len(self._tokens):
            return None
        self._place += 1
        return self._tokens[self._place - 1]

    def peek(self, *words: str) -> bool:
        return tuple(token.word or token.text for token in self.left[: len(words)]) == words

    def take(self, *words: str) -> bool:
        """Go past these words, if they come next."""
        if not self.peek(*words):
            return False
        self._place += len(words)
        return True

    def any(self, *words: str) -> str:
        """Go past one of these words; which, or nothing."""
        return next((word for word in words if self.take(word)), "")

    def has(self, *words: str) -> bool:
        """Whether they come one after the other in what is left, outside of parentheses."""
        flat = [token.word or token.text for token in outside(self.left)]
        return any(tuple(flat[i : i + len(words)]) == words for i in range(len(flat)))

    def name(self) -> Name:
        """A name, with or without its schema."""
        found: list[str] = []
        while (token := self.next()) is not None:
            found.append(token.name)
            if not self.take("."):
                break
        return tuple(found)

    def inside(self) -> tuple[Token, ...]:
        """What is in the parentheses that come next; nothing when none do."""
        if not self.take("("):
            return ()
        depth, begin = 1, self._place
        while depth and (token := self.next()) is not None:
            depth += (token.text == "(") - (token.text == ")")
        return self._tokens[begin : self._place - (0 if depth else 1)]

    def until(self, *ends: str) -> tuple[Token, ...]:
        """Go on to one of these words outside of parentheses, or to the end."""
        begin, depth = self._place, 0
        while self._place < len(self._tokens):
            token = self._tokens[self._place]
            if depth == 0 and token.word in ends:
                break
            depth += (token.text == "(") - (token.text == ")")
            self._place += 1
        return self._tokens[begin : self._place]


def outside(of: Sequence[Token]) -> list[Token]:
    """The tokens that are in no parentheses."""
    found, depth = [], 0
    for token in of:
        depth -= token.text == ")"
        if depth == 0:
            found.append(token)
        depth += token.text == "("
    return found


def split(of: Sequence[Token]) -> list[tuple[Token, ...]]:
    """At the commas that are in no parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in of:
        if token.text == "," and depth == 0:
            parts.append([])
            continue
        depth += (token.text == "(") - (token.text == ")")
        parts[-1].append(token)
    return [tuple(part) for part in parts if part]


def column_names(of: Sequence[Token]) -> tuple[str, ...]:
    """`a, "B", c DESC` -> a, B, c; nothing when one of them is more than a column."""
    found = []
    for part in split(of):
        plain = part[0].kind in ("word", "quoted") and all(token.word in _ORDERS for token in part[1:])
        if not plain:
            return ()
        found.append(part[0].name)
    return tuple(found)


_ORDERS = frozenset({"ASC", "DESC", "NULLS", "FIRST", "LAST"})
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


def _flags(words: Words, **asked: str) -> frozenset[str]:
    return frozenset(flag.replace("_", " ") for flag, text in asked.items() if words.take(*text.split()))


def _create(words: Words) -> Iterator[Change]:
    flags = _flags(words, or_replace="OR REPLACE")
    if words.any("TEMP", "TEMPORARY"):
        flags |= {"temporary"}
    words.any("UNLOGGED", "GLOBAL", "LOCAL")
    words.take("CONSTRAINT")
    flags |= _flags(words, unique="UNIQUE")
    kind = _object(words)
    if kind == "index":
        yield _create_index(words, flags)
        return
    flags |= _flags(words, if_not_exists="IF NOT EXISTS")
    name = words.name()
    yield Change(
        action=f"create {kind or 'other'}",
        name=".".join(name),
        table=name if kind == "table" else (),
        flags=flags,
    )


def _create_index(words: Words, flags: frozenset[str]) -> Change:
    flags |= _flags(words, concurrently="CONCURRENTLY") | _flags(words, if_not_exists="IF NOT EXISTS")
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
    flags = _flags(words, concurrently="CONCURRENTLY") | _flags(words, if_exists="IF EXISTS")
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
        yield Change(action="add value", name=name, flags=_flags(words, if_not_exists="IF NOT EXISTS"))
    else:
        yield Change(action=f"alter {kind or 'other'}", name=name)


def _table_action(words: Words, table: Name) -> Iterator[Change]:
    if words.take("ADD"):
        yield from _add(words)
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
        yield Change(action="detach", name=name[-1], flags=_flags(words, concurrently="CONCURRENTLY"))
    else:
        yield Change(action="alter table")


def _storage(words: Words) -> str:
    """SET LOGGED, UNLOGGED, TABLESPACE and ACCESS METHOD write the whole table again; SET (…) does not."""
    rewrites = words.any("LOGGED", "UNLOGGED", "TABLESPACE") or words.take("ACCESS", "METHOD")
    return "rewrite" if rewrites else "alter table"


def _drop_of_table(words: Words) -> Change:
    kind = "constraint" if words.take("CONSTRAINT") else "column"
    words.take("COLUMN")
    flags = _flags(words, if_exists="IF EXISTS")
    return Change(action=f"drop {kind}", name=words.name()[-1], flags=flags)


def _alter_column(words: Words) -> Change:
    column = words.name()[-1]
    if words.take("SET", "NOT", "NULL"):
        return Change(action="set not null", name=column)
    if words.take("SET", "DATA", "TYPE") or words.take("TYPE"):
        kind = words.until("USING", "COLLATE")
        words.until("USING")
        return Change(action="set type", name=column, type=_type(kind), expression=words.left[1:])
    return Change(action="alter column", name=column)


def _type(of: Sequence[Token]) -> str:
    """`varchar ( 20 )` -> varchar(20)"""
    text = " ".join(token.name if token.kind != "string" else token.text for token in of)
    for sign in ("(", ")", ",", "[", "]", "."):
        text = text.replace(f" {sign}", sign)
    return text.replace("( ", "(").replace(", ", ",").replace(". ", ".")


_CONSTRAINTS = ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE")


def _add(words: Words) -> Iterator[Change]:
    if any(words.peek(word) for word in _CONSTRAINTS):
        yield _constraint(words, column="")
        return
    words.take("COLUMN")
    flags = _flags(words, if_not_exists="IF NOT EXISTS")
    column = words.name()[-1]
    kind = _type(words.until(*_COLUMN_WORDS))
    constraints: list[Change] = []
    while words.left:
        made, more = _column_part(words, column)
        flags |= more
        if made is not None:
            constraints.append(made)
    if kind.rpartition(".")[2] in ("serial", "bigserial", "smallserial"):
        flags |= {"default", "rewrites"}
    yield Change(action="add column", name=column, type=kind, flags=flags)
    yield from constraints


_COLUMN_WORDS = (
    "NOT",
    "NULL",
    "DEFAULT",
    "GENERATED",
    "CHECK",
    "UNIQUE",
    "PRIMARY",
    "REFERENCES",
    "CONSTRAINT",
    "COLLATE",
)


def _column_part(words: Words, column: str) -> tuple[Change | None, frozenset[str]]:
    """The next clause of the definition of a new column."""
    none: frozenset[str] = frozenset()
    if words.take("NOT", "NULL"):
        return None, frozenset({"not null"})
    if words.take("DEFAULT"):
        value = words.until(*_COLUMN_WORDS[3:], "NOT")
        if not value:
            value = words.until(*_COLUMN_WORDS[3:])
        null = [token.word for token in value] == ["NULL"] or words.take("NULL")
        return None, none if null else frozenset({"default"}) | ({"rewrites"} if _volatile(value) else none)
    if words.take("GENERATED"):
        virtual = words.has("VIRTUAL")
        words.until("CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "CONSTRAINT")
        return None, frozenset({"default"}) if virtual else frozenset({"default", "rewrites"})
    if any(words.peek(word) for word in ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES")):
        made = _constraint(words, column=column)
        return made, frozenset({"not null"}) if made.action == "add primary key" else none
    words.next()
    return None, none


_STABLE = frozenset({"NOW", "CURRENT_TIMESTAMP", "TRANSACTION_TIMESTAMP", "TO_JSONB", "TO_JSON", "CURRENT_SETTING"})


def _volatile(value: Sequence[Token]) -> bool:
    """Whether a default may differ from row to row: it calls something that is not known to be stable."""
    called = [token for token, after in pairwise(value) if after.text == "("]
    types = [after for token, after in pairwise(value) if token.text == "::"]
    return any(token.kind in ("word", "quoted") and token.word not in _STABLE for token in called if token not in types)


def _constraint(words: Words, *, column: str) -> Change:
    """A constraint of a table, or of one `column`."""
    named = words.name()[-1] if words.take("CONSTRAINT") else ""
    columns = (column,) if column else ()
    if words.take("CHECK"):
        made = Change(action="add check", name=named, expression=words.inside())
    elif words.take("UNIQUE") or words.peek("PRIMARY"):
        kind = "add primary key" if words.take("PRIMARY", "KEY") else "add unique"
        flags = _flags(words, nulls_not_distinct="NULLS NOT DISTINCT")
        words.take("NULLS", "DISTINCT")
        flags |= _flags(words, using_index="USING INDEX")
        made = Change(action=kind, name=named, columns=column_names(words.inside()) or columns, flags=flags)
    elif words.take("FOREIGN", "KEY") or words.peek("REFERENCES"):
        mine = column_names(words.inside()) or columns
        words.take("REFERENCES")
        made = Change(
            action="add foreign key",
            name=named,
            columns=mine,
            refers=words.name(),
            refers_columns=column_names(words.inside()),
        )
    elif words.take("EXCLUDE"):
        made = Change(action="add exclude", name=named)
    elif words.take("NOT", "NULL"):
        made = Change(action="set not null", name=words.name()[-1] if words.left and not column else column)
    else:
        words.next()
        return Change(action="alter table", name=named)
    rest = words.until(*_COLUMN_WORDS) if column else words.until()
    tokens = [token.word for token in rest]
    if "VALID" in tokens or (column and words.take("NOT", "VALID")):
        made = replace(made, flags=made.flags | {"not valid"})
    return made


def _reindex(words: Words) -> Iterator[Change]:
    there = any(token.word == "CONCURRENTLY" for token in words.left)
    yield Change(action="reindex", flags=frozenset({"concurrently"}) if there else frozenset())


def _refresh(words: Words) -> Iterator[Change]:
    words.take("MATERIALIZED", "VIEW")
    flags = _flags(words, concurrently="CONCURRENTLY")
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
