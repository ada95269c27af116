"""Columns and constraints, as a statement defines them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from pipelines.delivery.migrations.changes import Change
from pipelines.delivery.migrations.sql import Token
from pipelines.delivery.migrations.words import Words, column_names


def type_of(of: Sequence[Token]) -> str:
    """`varchar ( 20 )` -> varchar(20)"""
    text = " ".join(token.name if token.kind != "string" else token.text for token in of)
    for sign in ("(", ")", ",", "[", "]", "."):
        text = text.replace(f" {sign}", sign)
    return text.replace("( ", "(").replace(", ", ",").replace(". ", ".")


_CONSTRAINTS = ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE")


def add(words: Words) -> Iterator[Change]:
    if any(words.peek(word) for word in _CONSTRAINTS):
        yield _constraint(words, column="")
        return
    words.take("COLUMN")
    flags = words.flags(if_not_exists="IF NOT EXISTS")
    column = words.name()[-1]
    kind = type_of(words.until(*_COLUMN_WORDS))
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
        flags = words.flags(nulls_not_distinct="NULLS NOT DISTINCT")
        words.take("NULLS", "DISTINCT")
        flags |= words.flags(using_index="USING INDEX")
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
