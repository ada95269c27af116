"""What a migration may not do, judged from its text: an expand migration must leave what runs working, and none may make users wait.

Pure. A reviewed exception stands in the file: `-- shipmate: allow RULE: why`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.delivery.migrations import parsing, sql
from pipelines.delivery.migrations.changes import Change, Name
from pipelines.delivery.migrations.files import Migration, superseded
from pipelines.errors import InputError, RefusedError


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`why` it is one, and what to do `instead`."""

    why: str
    instead: str


_VALIDATE = (
    "add it NOT VALID, and VALIDATE CONSTRAINT in a later migration (or in a later part of one without a transaction)"
)
RULES: Mapping[str, Rule] = {
    "drop": Rule(
        why="the release that serves still uses it while this one goes out, and a rollback goes back to that",
        instead="drop it in a contract migration: that runs when nothing that serves needs it",
    ),
    "rename": Rule(
        why="the release that serves knows the old name alone",
        instead="add the new one beside it, write to both, and drop the old one in a contract migration",
    ),
    "type-change": Rule(
        why="the table is written again while nobody can read it, and the release that serves may write what no longer fits",
        instead="add a column of the new type, fill it in batches, and drop the old one in a contract migration",
    ),
    "not-null": Rule(
        why="the whole table is read while nobody can use it, and the release that serves may write NULL",
        instead="first ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, then VALIDATE it, and SET NOT NULL in a later migration",
    ),
    "required-column": Rule(
        why="it fails where there are rows, and the release that serves does not fill it",
        instead="give it a constant DEFAULT, or let it be NULL",
    ),
    "rewrite": Rule(
        why="the whole table is written again while nobody can use it",
        instead="add the column without it, set the DEFAULT in a statement of its own, and fill the rows in batches",
    ),
    "not-valid": Rule(why="every row is checked while nobody can write to the table", instead=_VALIDATE),
    "validate-apart": Rule(
        why="it is validated in the transaction that added it, whose lock lets nobody write meanwhile",
        instead="validate it in a later migration, or in a later part of one without a transaction",
    ),
    "unique": Rule(
        why="its index is made while nobody can write to the table",
        instead="CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX",
    ),
    "concurrently": Rule(
        why="users wait for as long as it takes",
        instead="say CONCURRENTLY, in a file that begins with `-- shipmate: no-transaction`",
    ),
    "lock": Rule(why="nobody can use the table meanwhile", instead="do without it: no deployment needs it"),
    "long-transaction": Rule(
        why="rows are changed in the transaction that has locked the table, so its users wait for all of them",
        instead="change the rows in a migration of their own, without a transaction and in parts",
    ),
    "transaction": Rule(
        why="each file runs in a transaction of the runner, and this cannot run in one, or would end it",
        instead="begin the file with `-- shipmate: no-transaction`; BEGIN and COMMIT are never needed",
    ),
    "part": Rule(
        why="Postgres takes the statements of a part as one transaction, in which this cannot run",
        instead="give it a part of its own: a line `-- shipmate: next` before and after it",
    ),
    "repeatable": Rule(
        why="it may run again: after a kill all parts of a file without a transaction, or where what it supersedes ran already",
        instead="say IF NOT EXISTS or IF EXISTS, name the index, DROP CONSTRAINT IF EXISTS before ADD, WHERE what is not yet done",
    ),
    "code": Rule(why="what code does cannot be judged from its text", instead="write the statements themselves"),
    "syntax": Rule(why="Postgres would refuse it", instead="fix it"),
    "exception": Rule(
        why="an exception is for one rule that the file breaks, with the reason someone can review",
        instead="write `-- shipmate: allow RULE: why`, or take the line out",
    ),
}
COMPATIBLE = frozenset({"drop", "rename"})
"""Rules for expand migrations alone: a contract migration is there to break them."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A rule that a file breaks."""

    file: str
    line: int
    rule: str
    what: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} [{self.rule}]\n  why:     {self.why}\n  instead: {self.instead}"


def finding(file: str, line: int, rule: str, what: str) -> Finding:
    entry = RULES[rule]
    return Finding(file=file, line=line, rule=rule, what=what, why=entry.why, instead=entry.instead)


def judge(files: Sequence[Migration]) -> list[Finding]:
    """What our rules find in all files of a folder, in order: what a file may do depends on those before it. One that was superseded
    never runs."""
    known, gone = _Known(), superseded(files)
    run = [migration for migration in files if migration.version not in gone]
    return [found for migration in run for found in allowing(migration, _judge(migration, known))]


def require(files: Sequence[Migration], due: Sequence[Migration]) -> None:
    """Raises RefusedError when one that is due breaks a rule. `files`: all of the folder."""
    named = {migration.file for migration in due}
    found = [each for each in judge(files) if each.file in named]
    if found:
        raise refused(found)


def refused(found: Sequence[Finding]) -> RefusedError:
    """The error for findings: all of them, one under the other."""
    files = list(dict.fromkeys(each.file for each in found))
    return RefusedError(
        "\n".join([f"{len(found)} rule(s) broken", *(str(each) for each in found)]),
        where=", ".join(files),
        next_step="fix what is named; for a reviewed exception add the line `-- shipmate: allow RULE: why` to the file",
    )


def allowing(migration: Migration, found: Sequence[Finding], *, judged: bool = True) -> list[Finding]:
    """Findings without those that the file allows; and, when our own rules `judged` it, the exceptions that are none."""
    allowances = [each for each in migration.directives if each.what == "allow"]
    allowed = {each.about for each in allowances if each.why}
    left = [each for each in found if each.rule not in allowed]
    broken = {each.rule for each in found}
    for each in allowances if judged else []:
        if not each.why:
            left.append(finding(migration.file, each.line, "exception", f"`allow {each.about}` has no reason"))
        elif each.about in RULES and each.about not in broken:
            left.append(
                finding(migration.file, each.line, "exception", f"`allow {each.about}`: the file does not break it")
            )
    return left


@dataclass(kw_only=True)
class _Known:
    """What the earlier files declare."""

    tables: set[Name] = field(default_factory=set)
    not_null: dict[tuple[Name, str], tuple[Name, str]] = field(default_factory=dict)
    """(table, constraint) -> (table, column) of CHECK (column IS NOT NULL) that is not validated yet."""
    proved: set[tuple[Name, str]] = field(default_factory=set)
    """(table, column) that hold no NULL, by a validated CHECK."""


@dataclass(kw_only=True)
class _File:
    """What the statements before, of the same file, did."""

    migration: Migration
    known: _Known
    made: set[Name] = field(default_factory=set)
    """Tables: nobody uses them yet."""
    named: set[tuple[str, str]] = field(default_factory=set)
    """(kind, name) of what was made or dropped."""
    added: set[tuple[Name, str]] = field(default_factory=set)
    """(table, constraint) added in this transaction."""
    locked: set[Name] = field(default_factory=set)
    """Tables whose structure was changed in this transaction."""

    def fresh(self, change: Change) -> bool:
        return _plain(change.table) in self.made


def _judge(migration: Migration, known: _Known) -> list[Finding]:
    try:
        parts = migration.parts() if migration.alone else [migration.sql]
        file = _File(migration=migration, known=known)
        found = []
        place = 0
        for part in parts:
            above = sql.line_of(migration.sql, migration.sql.index(part, place)) - 1
            place = migration.sql.index(part, place) + len(part)
            found += [
                finding(migration.file, above + change.line, rule, what) for change, rule, what in _part(file, part)
            ]
            if migration.alone:
                file.added.clear()
                file.locked.clear()
        known.proved |= {known.not_null[key] for key in _validated(migration) & known.not_null.keys()}
    except InputError as error:
        return [finding(migration.file, int(error.where.rpartition(" ")[2] or 1), "syntax", error.what)]
    return found


def _validated(migration: Migration) -> set[tuple[Name, str]]:
    return {(_plain(each.table), each.name) for each in parsing.read(migration.sql) if each.action == "validate"}


def _part(file: _File, text: str) -> Iterator[tuple[Change, str, str]]:
    several = len(sql.statements(text)) > 1
    for change in parsing.read(text):
        for judged in (_compatible, _locking, _constraints, _rows, _alone, _again):
            for rule, what in judged(file, change):
                if not (rule in COMPATIBLE and file.migration.kind == "contract"):
                    yield change, rule, what
        if several and file.migration.alone and change.has("concurrently"):
            yield change, "part", f"{_says(change)} CONCURRENTLY beside other statements"
        _remember(file, change)


_Judged = Iterator[tuple[str, str]]
_DROPPED = {"drop column", "drop table", "drop view", "drop materialized view", "drop type", "drop domain", "drop schema",
            "drop function", "drop procedure", "drop routine", "drop aggregate", "drop sequence", "drop extension",
            "drop foreign table", "drop trigger", "drop other"}  # fmt: skip


def _compatible(file: _File, change: Change) -> _Judged:
    """What the release that serves would notice."""
    if file.fresh(change):
        return
    if change.action in _DROPPED and ("made", change.name) not in file.named:
        yield "drop", _says(change)
    elif change.action.startswith("drop ") and change.has("cascade"):
        yield "drop", f"{_says(change)} CASCADE"
    elif change.action == "truncate":
        yield "drop", f"TRUNCATE of {_named(change.table)}"
    elif change.action == "delete" and not change.has("where"):
        yield "drop", f"DELETE of all rows of {_named(change.table)}"
    elif change.action == "rename":
        yield "rename", f"{change.name} gets another name or schema"


def _locking(file: _File, change: Change) -> _Judged:
    """What makes users wait."""
    if file.fresh(change):
        return
    if change.action in ("create index", "drop index", "reindex", "refresh", "detach") and not change.has(
        "concurrently"
    ):
        if not (change.action == "drop index" and ("made", change.name) in file.named):
            yield "concurrently", f"{_says(change)} without CONCURRENTLY"
    elif change.action in ("lock", "cluster", "rewrite") or (change.action == "vacuum" and change.has("full")):
        yield "lock", _says(change)
    elif change.action == "set type":
        yield "type-change", f"column {change.name} of {_named(change.table)} becomes {change.type}"
    elif change.action == "add column":
        if change.has("not null") and not change.has("default"):
            yield (
                "required-column",
                f"new column {change.name} of {_named(change.table)} is NOT NULL and has no DEFAULT",
            )
        if change.has("rewrites"):
            yield "rewrite", f"new column {change.name} of {_named(change.table)} has a value of its own for each row"


def _constraints(file: _File, change: Change) -> _Judged:
    if file.fresh(change):
        return
    on = f"{change.name or change.action.removeprefix('add ')} on {_named(change.table)}"
    if change.action in ("add check", "add foreign key") and not change.has("not valid"):
        yield "not-valid", f"{on} is checked at once"
    elif change.action in ("add unique", "add primary key", "add exclude") and not change.has("using index"):
        yield "unique", f"{on} makes its index"
    elif change.action == "set not null" and not change.has("not valid"):
        if (_plain(change.table), change.name) not in file.known.proved:
            yield "not-null", f"column {change.name} of {_named(change.table)} becomes NOT NULL"
    elif change.action == "validate" and (_plain(change.table), change.name) in file.added:
        yield "validate-apart", f"{change.name} of {_named(change.table)} is validated at once"


def _rows(file: _File, change: Change) -> _Judged:
    if change.action in ("update", "delete", "insert") and _plain(change.table) in file.locked:
        yield "long-transaction", f"{change.action.upper()} of {_named(change.table)} after its structure was changed"
    elif change.action == "code":
        yield "code", "DO, CALL or EXECUTE"
    elif change.action == "copy" and change.has("program"):
        yield "code", "COPY … PROGRAM"


_NO_TRANSACTION = ("alter system", "vacuum", "create database", "drop database")


def _alone(file: _File, change: Change) -> _Judged:
    if change.action == "transaction":
        yield "transaction", f"{change.name} in a migration"
    elif not file.migration.alone and (
        change.action in _NO_TRANSACTION or (change.has("concurrently") and change.action != "refresh")
    ):
        yield "transaction", f"{_says(change)} cannot run in a transaction"


def _again(file: _File, change: Change) -> _Judged:
    """What is not safe to repeat, where that is needed."""
    if not (file.migration.alone or file.migration.supersedes):
        return
    kind = change.action.partition(" ")[0]
    safe = change.has("if not exists") or change.has("if exists") or change.has("or replace") or change.has("temporary")
    if change.action == "create index":
        wrong = not (safe or ("dropped", change.name) in file.named) or not change.name
    elif change.action in ("add check", "add foreign key", "add unique", "add primary key", "add exclude"):
        wrong = ("dropped", change.name) not in file.named and ("added", change.table[-1]) not in file.named
    elif kind == "create" or change.action in ("add column", "drop column", "drop constraint", "add value"):
        wrong = not safe and ("dropped", change.name) not in file.named
    elif kind == "drop":
        wrong = not safe
    elif change.action in ("update", "delete"):
        wrong = not change.has("where")
    elif change.action == "insert":
        wrong = not change.has("on conflict") and not change.has("where")
    else:
        wrong = change.action == "rename"
    if wrong:
        yield "repeatable", f"{_says(change)} is not safe to repeat"


def _remember(file: _File, change: Change) -> None:
    table = _plain(change.table)
    if change.action == "create table":
        if table not in file.known.tables:
            file.made.add(table)
        file.known.tables.add(table)
    if change.action.startswith("create "):
        file.named.add(("made", change.name))
    if change.action.startswith("drop ") and change.has("if exists"):
        file.named.add(("dropped", change.name))
    if change.action == "add column" and change.has("if not exists") and change.table:
        file.named.add(("added", change.table[-1]))
    if change.action == "validate" or not change.table:
        return
    if change.action.startswith("add "):
        file.added.add((table, change.name))
    if change.action in _STRUCTURE and table not in file.made and not file.migration.alone:
        file.locked.add(table)
    if change.action == "add check":
        column = not_null_column(change)
        if column:
            file.known.not_null[(table, change.name)] = (table, column)


_STRUCTURE = frozenset({"add column", "drop column", "set type", "set not null", "add check", "add unique",
                        "add primary key", "add exclude", "add foreign key", "drop constraint", "alter column",
                        "alter table", "rename", "rewrite"})  # fmt: skip


def not_null_column(change: Change) -> str:
    """The column of CHECK (column IS NOT NULL); empty for any other."""
    words = [token.word or token.text for token in change.expression]
    return change.expression[0].name if words[1:] == ["IS", "NOT", "NULL"] else ""


def _plain(table: Name) -> Name:
    return table[1:] if table[:1] == ("public",) and len(table) == 2 else table


def _named(table: Name) -> str:
    return ".".join(table)


def _says(change: Change) -> str:
    """`DROP COLUMN old of notes`"""
    on = (
        f" of {_named(change.table)}"
        if change.table and change.action not in ("drop table", "create table", "lock")
        else ""
    )
    name = change.name or ("" if on else _named(change.table))
    return " ".join(filter(None, (change.action.upper(), name))) + on
