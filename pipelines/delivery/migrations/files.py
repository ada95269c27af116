"""Database migrations as data: the files of a release, what a database has of them, and what may run now. Pure but for `read` and `names`.

A migration is `NNNN_name.expand.sql` or `NNNN_name.contract.sql`. An expand migration only adds: every release that serves works
before and after it, so it runs before the candidate. A contract migration takes away what earlier releases needed, so it runs only
when every release that has traffic knows it already: never in the release that brings it, but in a later one (docs/decisions/0104).

A line `-- shipmate: …` says more of a file (docs/decisions/0109):

    no-transaction              the first line: it runs by itself, in parts
    next                        between two parts
    supersedes 0003: why        that one cannot run everywhere: where it has not, it is recorded and never run
    allow RULE: why             a reviewed exception from a rule; it may be added later, and is no change of the file
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pipelines.delivery.migrations import sql as text
from pipelines.errors import InputError, RefusedError

Phase = Literal["expand", "contract"]
_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.(?P<kind>expand|contract)\.sql")
ALONE = "-- shipmate: no-transaction"
NEXT = "-- shipmate: next"
_SAYS = re.compile(r"--\s*shipmate:\s*(?P<what>[a-z-]+)\s*(?P<about>[^:\n]*?)\s*(?::\s*(?P<why>.*?))?\s*")
FIX = "leave the file as it is, for other databases may have it; add a migration that does it rightly, with the line"


@dataclass(frozen=True, kw_only=True)
class Directive:
    """A line `-- shipmate: WHAT ABOUT: WHY` of a file; `line` counts from 1."""

    what: str
    about: str
    why: str
    line: int
    start: int


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
        """Of the text. Line ends do not count, as git may change them; nor exceptions from rules, which may come later."""
        allowed = {each.line for each in self.directives if each.what == "allow"}
        lines = self.sql.replace("\r\n", "\n").split("\n")
        kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in allowed)
        return hashlib.sha256(kept.encode()).hexdigest()

    @cached_property
    def directives(self) -> tuple[Directive, ...]:
        """What its lines `-- shipmate: …` say; none of a text whose quotes do not end."""
        return tuple(_directives(self.sql))

    @property
    def supersedes(self) -> dict[str, str]:
        """Number of an earlier migration -> why this one takes its place."""
        return {each.about: each.why for each in self.directives if each.what == "supersedes"}

    @property
    def alone(self) -> bool:
        """Whether it cannot run in a transaction (CREATE INDEX CONCURRENTLY and the like)."""
        return self.sql.lstrip().startswith(ALONE)

    def parts(self) -> list[str]:
        """The statements of one that runs alone, each by itself: Postgres takes several at once as one transaction."""
        ends = [each.start for each in self.directives if each.what == "next"]
        places = [0, *ends, len(self.sql)]
        found = [self.sql[begin:end] for begin, end in pairwise(places)]
        return [part for part in found if text.statements(part)]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A row of schema_migrations."""

    version: str
    name: str
    kind: str
    checksum: str
    superseded_by: str = ""
    """Number of the migration that took its place here: this one never ran. Empty for one that did."""

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
    for migration in found:
        _require_earlier(migration, found)
    return found


def names(folder: Path) -> list[str]:
    """File names of the migrations of a folder that may run anywhere, in order: not of those superseded. Raises InputError."""
    found = read(folder)
    gone = superseded(found)
    return [migration.file for migration in found if migration.version not in gone]


def superseded(files: Iterable[Migration]) -> dict[str, tuple[str, str]]:
    """Number -> the number of the migration that takes its place, and why."""
    return {old: (migration.version, why) for migration in files for old, why in migration.supersedes.items()}


def _require_earlier(migration: Migration, files: Sequence[Migration]) -> None:
    """Raises InputError unless what it supersedes is an earlier one that would not run later than itself."""
    known = {each.version: each for each in files}
    for old, why in migration.supersedes.items():
        earlier = known.get(old)
        if earlier is None or old >= migration.version:
            message, do = f"{old or 'nothing'}, which is none before it", "name the number of an earlier one"
        elif not why:
            message, do = f"{old} without saying why", "write the reason behind a colon: it is recorded in the database"
        elif earlier.kind == "expand" and migration.kind == "contract":
            message = f"{earlier.file}, which the release that brings it needs"
            do = "make it an expand migration: a contract migration waits for a later release"
        else:
            continue
        raise InputError(f"it supersedes {message}", where=migration.file, next_step=do)


def _directives(written: str) -> list[Directive]:
    found = []
    try:
        comments = [token for token in text.tokens(written) if token.kind == "comment"]
    except InputError:
        return []
    for token in comments:
        match = _SAYS.fullmatch(token.text.rstrip())
        if match is not None and written[: token.start].rpartition("\n")[2].strip() == "":
            found.append(
                Directive(
                    what=match["what"],
                    about=match["about"],
                    why=match["why"] or "",
                    line=token.line,
                    start=token.start,
                )
            )
    return found


def plan(
    applied: Sequence[Applied], files: Sequence[Migration], phase: Phase, serving: Iterable[str] | None = None
) -> list[Migration]:
    """What runs now, in order. `serving`: for each release with traffic, the highest migration it knows ("0003"); None: not known.

    Raises RefusedError when an applied migration was changed, renamed, or one was put in before it.
    """
    _require_unchanged(applied, files)
    done = {row.version for row in applied} | superseded(files).keys()
    pending = [migration for migration in files if migration.version not in done and migration.kind == phase]
    if phase == "expand":
        _require_in_order(applied, pending)
        return pending
    known = list(serving) if serving is not None else []
    if not known:
        return []
    least = min(known)
    return [migration for migration in pending if migration.version <= least]


def never_run(applied: Iterable[Applied], files: Sequence[Migration], steps: Iterable[Migration]) -> list[Migration]:
    """Those that a database lacks, and that one it has, or one of these `steps`, took the place of: they are recorded, and never run."""
    rows = {row.version for row in applied}
    present = rows | {step.version for step in steps}
    gone = superseded(files)
    found: list[Migration] = []
    # The newest first: what took the place of one may itself have been superseded.
    for each in reversed(files):
        if each.version in gone and each.version not in rows and gone[each.version][0] in present:
            present.add(each.version)
            found.insert(0, each)
    return found


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
            next_step=f"restore it, then {FIX} `-- shipmate: supersedes {row.version}: why`",
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
