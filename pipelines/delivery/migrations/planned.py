"""What a plan says of the migrations that are due: tried at the databases that the manifest names for it, before anything is approved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.delivery.migrations import by_job, due, rules, trial
from pipelines.delivery.migrations import files as schema
from pipelines.delivery.migrations.trial import Asked, Trial
from pipelines.errors import RefusedError, ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.context import Context


def tried(context: Context, component: str, expand: Iterable[str], contract: Iterable[str]) -> Trial:
    """Try what a release would apply, before it is approved. `expand` and `contract`: files of the migrations that its plan has.

    A database that cannot be asked is a result, and no error. Raises InputError, RefusedError for files that are wrong whatever the rows.
    """
    folder = due.folder(context, component)
    files = schema.read(folder) if folder else []
    asked = Asked(component=component, files=files, contract=frozenset(contract))
    found = _asked(context, asked)
    if found.by == "nothing":
        # What the database lacks is not known: its text is judged all the same.
        named = {*expand, *contract}
        rules.require(files, [migration for migration in files if migration.file in named])
    return found


def _asked(context: Context, asked: Asked) -> Trial:
    component = asked.component
    target = context.target(component)
    try:
        if target.database_copy_secret is not None:
            address = due.address_of(context, component, target.database_copy_secret)
            _require_other(context, component, address)
            return trial.on_copy(address, asked)
        if target.migrate_by == "job":
            by_job.require_migrator(context, component)
            why = "the job that applies them counts the rows first, in the network of the database"
            return Trial(component=component, by="nothing", why=why)
        return trial.by_counts(due.reading_address(context, component), asked, trial.PLANNING, written=False)
    except RefusedError:
        raise
    except ShipmateError as error:
        return Trial(component=component, by="nothing", why=error.what)


def _require_other(context: Context, component: str, address: str) -> None:
    """Raises RefusedError when the copy is the database itself: the release's SQL would run there before anybody approved it."""
    from psycopg.conninfo import conninfo_to_dict

    known = context.target(component).database_secret
    if known is None:
        return
    places = [
        tuple(str(conninfo_to_dict(each).get(key) or "") for key in ("host", "hostaddr", "port", "dbname"))
        for each in (address, due.address_of(context, component, known))
    ]
    if places[0] == places[1]:
        raise RefusedError(
            "the copy that migrations are tried on is the database itself",
            where=f"shipmate.yml, environments/{context.environment}/{component}/database_copy_secret",
            why="a release that nobody approved would change it",
            next_step="name the secret of a copy or a branch of it, or leave the key out",
        )
