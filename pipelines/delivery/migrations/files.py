"""Database migrations as data: the files of a release, what a database has of them, and what may run now. Pure but for `read`.

A migration is `NNNN_name.expand.sql` or `NNNN_name.contract.sql`. An expand migration only adds: every release that serves works
before and after it, so it runs before the candidate. A contract migration takes away what earlier releases needed, so it runs only
when every release that has traffic knows it already: never in the release that brings it, but in a later one (docs/decisions/0104).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipelines.errors import InputError, RefusedError

Phase = Literal["expand", "contract"]
_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.(?P<kind>expand|contract)\.sql")
ALONE = "-- shipmate: no-transaction"
NEXT = "-- shipmate: next"


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file. `sql` is its text."""

    version: str
    name: str
    kind: str
    sql: str = field(repr=False)

    @property
    def file(self) -> str:
        return f"{self.version}_{self.name}.{self.kind}.sql"

    @property
    def checksum(self) -> str:
        """Of the text; line ends do not count, as git may change them."""
        return hashlib.sha256(self.sql.replace("\r\n", "\n").encode()).hexdigest()

    @property
    def alone(self) -> bool:
        """Whether it cannot run in a transaction (CREATE INDEX CONCURRENTLY and the like)."""
        return self.sql.lstrip().startswith(ALONE)

    def parts(self) -> list[str]:
        """The statements of one that runs alone, each by itself: Postgres takes several at once as one transaction."""
        return [part for part in re.split(rf"(?m)^{re.escape(NEXT)}\s*$", self.sql) if part.strip()]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A row of schema_migrations."""

    version: str
    name: str
    kind: str
    checksum: str

    @property
    def file(self) -> str:
        return f"{self.version}_{self.name}.{self.kind}.sql"


def read(folder: Path) -> list[Migration]:
    """The migrations of a folder in order. Raises InputError for wrong names, numbers used twice, and gaps."""
    found, wrong = [], []
    for path in sorted(folder.glob("*.sql")) if folder.is_dir() else []:
        match = _NAME.fullmatch(path.name)
        if match is None:
            wrong.append(path.name)
        else:
            found.append(Migration(**match.groupdict(), sql=path.read_text(encoding="utf-8")))
    if wrong:
        raise InputError(
            f"not named like a migration: {', '.join(wrong)}",
            where=str(folder),
            why="whether it adds or takes away decides when it may run",
            next_step="name it NNNN_what_it_does.expand.sql or NNNN_what_it_does.contract.sql",
        )
    for number, migration in enumerate(found, 1):
        if int(migration.version) != number:
            raise InputError(
                f"{migration.file} comes where {number:04} is expected",
                where=str(folder),
                why="a number is missing or used twice: two branches may have taken the same one",
                next_step="renumber the one that was merged last",
            )
    return found


def plan(
    applied: Sequence[Applied], files: Sequence[Migration], phase: Phase, serving: Iterable[str] | None = None
) -> list[Migration]:
    """What runs now, in order. `serving`: for each release with traffic, the highest migration it knows ("0003"); None: not known.

    Raises RefusedError when an applied migration was changed, renamed, or one was put in before it.
    """
    _require_unchanged(applied, files)
    done = {row.version for row in applied}
    pending = [migration for migration in files if migration.version not in done and migration.kind == phase]
    if phase == "expand":
        _require_in_order(applied, pending)
        return pending
    known = list(serving) if serving is not None else []
    if not known:
        return []
    least = min(known)
    return [migration for migration in pending if migration.version <= least]


def _require_unchanged(applied: Sequence[Applied], files: Sequence[Migration]) -> None:
    known = {migration.version: migration for migration in files}
    for row in applied:
        migration = known.get(row.version)
        # A release from before this migration does not have the file; that is no change.
        if migration is None or (migration.file, migration.checksum) == (row.file, row.checksum):
            continue
        what = "was renamed" if migration.file != row.file else "was changed"
        raise RefusedError(
            f"{row.file} {what} after it was applied",
            where=migration.file,
            why="the database has the earlier text: a new one would be here and there different",
            next_step="restore the file, and put the change into a new migration",
        )


def _require_in_order(applied: Sequence[Applied], pending: Sequence[Migration]) -> None:
    newest = max((row.version for row in applied if row.kind == "expand"), default="0000")
    for migration in pending:
        if migration.version < newest:
            raise RefusedError(
                f"{migration.file} was put in before {newest}, which is applied already",
                where=migration.file,
                why="a branch was merged late: on a fresh database it would run earlier than here",
                next_step="give it the next free number",
            )
