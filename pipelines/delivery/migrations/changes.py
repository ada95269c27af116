"""A change that a migration makes, as data: what rules judge and counts are made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.delivery.migrations.sql import Token

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
