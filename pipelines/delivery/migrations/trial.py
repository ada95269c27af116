"""Due migrations, tried before anything moves: on a copy of the database where there is one, else by counts that only read.

Asked before the approval, none of the release's SQL reaches the database itself; asked after it (`written`), the conditions of its CHECKs
do, in a session that can only read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.delivery.migrations import counts, rules, sql
from pipelines.delivery.migrations import files as schema
from pipelines.delivery.migrations import runner as migrate
from pipelines.delivery.migrations.counts import Bounds, Finding, State
from pipelines.delivery.migrations.files import Applied, Migration
from pipelines.errors import RefusedError

if TYPE_CHECKING:
    import psycopg

PLANNING = Bounds()
"""A plan waits no longer than this."""
MIGRATING = Bounds(each=60.0, all=300.0)
_COPY = Bounds(each=300.0, all=300.0)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of it for one component."""

    component: str
    by: Literal["copy", "counts", "nothing"]
    due: tuple[str, ...] = ()
    """Files that the database lacks."""
    findings: tuple[Finding, ...] = ()
    why: str = ""
    """Why nothing could be tried."""

    @property
    def wrong(self) -> list[Finding]:
        return [each for each in self.findings if each.state in ("violated", "refused")]

    def lines(self) -> list[str]:
        """For people."""
        if self.by == "nothing":
            return self.warnings()
        how = "tried on a copy of the database" if self.by == "copy" else "its rows were counted, nothing was run"
        found = [f"{self.component}: {how}: {len(self.due)} migration(s) due"]
        asked = {each.file for each in self.findings}
        found += [f"{file}: nothing in it that rows could violate" for file in self.due if file not in asked]
        return [*found, *(str(each) for each in self.findings)]

    def warnings(self) -> list[str]:
        """What nobody knows yet, for the approver."""
        if self.by == "nothing":
            return [f"{self.component}: whether its migrations fit the rows is not known before they run: {self.why}"]
        return [str(each) for each in self.findings if each.state == "unknown"]

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def before_migrating(address: str, component: str, files: Sequence[Migration], contract: Iterable[str]) -> Trial:
    """The counts once more, now that the release is approved: with the conditions of its CHECKs as they are written."""
    asked = Asked(component=component, files=files, contract=frozenset(contract))
    return by_counts(address, asked, MIGRATING, written=True)


def require(found: Trial) -> None:
    """Raises RefusedError when a migration does not fit the rows there are."""
    if not found.wrong:
        return
    files = list(dict.fromkeys(each.file for each in found.wrong))
    numbers = ", ".join(file[:4] for file in files)
    raise RefusedError(
        "\n".join(["the database would refuse a migration", *(f"  {each}" for each in found.wrong)]),
        where=f"{found.component}, {', '.join(files)}",
        why="tried on a copy of the database"
        if found.by == "copy"
        else "counted in the database, which nothing has changed",
        next_step=f"fix the rows, and release again; or {schema.FIX} `-- shipmate: supersedes {numbers}: why`",
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose migrations are asked about: all files, and those of them that are contract migrations of the release's plan."""

    component: str
    files: Sequence[Migration]
    contract: frozenset[str]

    def due(self, rows: Sequence[Applied]) -> list[Migration]:
        """What the release would apply to a database that has these rows, in order; judged by its text. Raises RefusedError."""
        done = {row.version for row in rows} | schema.superseded(self.files).keys()
        later = [each for each in self.files if each.file in self.contract and each.version not in done]
        found = [*schema.plan(rows, self.files, "expand"), *later]
        rules.require(self.files, found)
        return found


def by_counts(address: str, asked: Asked, bounds: Bounds, *, written: bool) -> Trial:
    """What the rows of a database say; nothing is run there. `written`: conditions are asked as they are written."""
    import psycopg

    try:
        with counts.reading(address) as connection:
            pending = asked.due(migrate.applied_on(connection))
            found = counts.count(connection, pending, asked.files, written=written, bounds=bounds)
    except psycopg.Error as error:
        return Trial(component=asked.component, by="nothing", why=_message(error))
    return Trial(
        component=asked.component, by="counts", due=tuple(each.file for each in pending), findings=tuple(found)
    )


def on_copy(address: str, asked: Asked) -> Trial:
    """All that is due, in one transaction that is rolled back: the copy stays one."""
    import psycopg

    try:
        with counts.reading(address) as connection:
            pending = asked.due(migrate.applied_on(connection))
            found = counts.count(connection, pending, asked.files, written=True, bounds=_COPY)
            if not any(each.state == "violated" for each in found):
                connection.execute("SET default_transaction_read_only = off")
                connection.execute(f"SET statement_timeout = {int(_COPY.each * 1000)}")
                found = _applied(connection, pending, found)
    except psycopg.Error as error:
        return Trial(component=asked.component, by="nothing", why=f"the copy: {_message(error)}")
    return Trial(component=asked.component, by="copy", due=tuple(each.file for each in pending), findings=tuple(found))


def _applied(
    connection: psycopg.Connection[Any], due: Sequence[Migration], counted: Sequence[Finding]
) -> list[Finding]:
    """What was counted, and what came of applying it: what could not be counted is known then."""
    import psycopg

    refused: list[Finding] = []
    with connection.transaction(force_rollback=True):
        for migration in due:
            try:
                for statement in in_transaction(migration):
                    connection.execute(statement.encode())
                connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
                connection.execute("SET CONSTRAINTS ALL DEFERRED")
            except psycopg.Error as error:
                if connection.broken:
                    raise
                refused.append(
                    Finding(file=migration.file, line=1, what="applied", state=_state(error), why=_message(error))
                )
                break
    if refused:
        return [*counted, *refused]
    # Postgres took all of it, whether or not it could be counted.
    return [each if each.state != "unknown" else _fits(each) for each in counted]


def _state(error: psycopg.Error) -> State:
    """Some changes Postgres refuses only because all of it is one transaction here, or because the copy is slow."""
    from psycopg import errors

    ours = (errors.UnsafeNewEnumValueUsage, errors.ObjectInUse, errors.QueryCanceled, errors.LockNotAvailable)
    return "unknown" if isinstance(error, (*ours, errors.ActiveSqlTransaction)) else "refused"


def _fits(each: Finding) -> Finding:
    return Finding(file=each.file, line=each.line, what=each.what, state="fits")


def in_transaction(migration: Migration) -> list[str]:
    """Its statements as a transaction takes them: without CONCURRENTLY, and without those that no transaction takes."""
    if not migration.alone:
        return [migration.sql]
    found = []
    for statement in sql.statements(migration.sql):
        words = [token.word for token in statement.tokens[:2]]
        if words[0] in ("VACUUM", "REINDEX") or words in (["ALTER", "SYSTEM"], ["CREATE", "DATABASE"]):
            continue
        found.append(_without(statement, "CONCURRENTLY", migration.sql))
    return found


def _without(statement: sql.Statement, word: str, text: str) -> str:
    first, last = statement.tokens[0], statement.tokens[-1]
    gone = next((token for token in statement.tokens if token.word == word), None)
    end = last.start + len(last.text)
    if gone is None:
        return text[first.start : end]
    return text[first.start : gone.start] + text[gone.start + len(gone.text) : end]


def _message(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())[:300]
