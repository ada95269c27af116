"""Migrations by a job that the provider runs beside the service: for a database that the workflow's runner cannot reach.

The job reads the address itself, as the service's account; all that comes back is how it ended, and where its log is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines import errors
from pipelines.delivery.migrations.order import DATABASE, JOB, READING, Order
from pipelines.errors import ProviderError, RefusedError, ShipmateError
from pipelines.images.migrator import DEPENDENCIES, MIGRATIONS, ROOT

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import JobEnd

_ERRORS: dict[int, type[ShipmateError]] = {
    each.exit_code: each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, ShipmateError) and each is not ShipmateError
}


def require_migrator(context: Context, component: str) -> None:
    """Raises RefusedError for a release whose image cannot migrate."""
    image = context.manifest.components[component].image
    if image is None or not image.migrator:
        raise RefusedError(
            f"the image of {component} does not bring its migrations",
            where=f"shipmate.yml of the release, components/{component}/image",
            why=f"in {context.environment} they are applied by a job of that image (`migrate_by: job`)",
            next_step="add `migrator: true` to the image and release again; or `migrate_by: workflow`, where a runner reaches the database",
        )


def apply(context: Context, order: Order, mark: Callable[[], object] | None) -> str:
    """Have what is due applied; says by which execution.

    With `mark`, the job is first asked alone whether all of it fits the rows: only then is marked what a rollback must know. Raises what
    the job's error was, ProviderError for a job that did not start or was ended.
    """
    require_migrator(context, order.component)
    if mark is not None:
        _run(context, replace(order, only_fit=True))
        mark()
    ended = _run(context, order)
    return f"the job applied what the database lacked: {ended.name}"


def _run(context: Context, order: Order) -> JobEnd:
    from pipelines.providers import job

    target = context.target(order.component)
    named = {DATABASE: target.database_secret, READING: target.database_read_secret}
    context.runtime.say(f"{order.component}: a job in the service's network {_doing(order)}")
    ended = job(target, context.settings, context.http, context.credentials).run(
        context.delivered.artifact(order.component),
        ["python", "-m", JOB, f"/{MIGRATIONS}", order.written()],
        # Not from the working directory, which is the application's: it may have a `pipelines` of its own.
        env={"PYTHONPATH": f"/{ROOT}:/{DEPENDENCIES}", "PYTHONSAFEPATH": "1"},
        secrets={variable: secret for variable, secret in named.items() if secret},
    )
    context.runtime.say(f"{ended.name}: {ended.problem or 'done'}; its log: {ended.log}")
    if ended.exit_code != 0:
        raise _error(ended, order)
    return ended


def _doing(order: Order) -> str:
    return "counts the rows that migrations could violate" if order.only_fit else "applies the migrations"


def _error(ended: JobEnd, order: Order) -> ShipmateError:
    """The error of the same kind as the job's own."""
    kind = _ERRORS.get(ended.exit_code or 0, ProviderError)
    how = f"exit code {ended.exit_code}, {kind.title}" if ended.exit_code in _ERRORS else ended.problem
    return kind(
        f"the job that {_doing(order)} of {order.release} failed: {how}",
        where=f"execution {ended.name}",
        why="what it applied before stays applied, and is not applied twice; nothing was deployed",
        next_step=f"read what it says: {ended.log or 'its log, in the console'}; then run this again",
    )
