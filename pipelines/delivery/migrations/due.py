"""Migrations of an environment's database: the address from Secret Manager, the folder from the manifest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.delivery.migrations.order import Order
from pipelines.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.delivery.context import Context


PHASES = ("expand", "contract")
DUE = "due"
"""Both: expand for this release, and the contract migrations of earlier ones that nothing serving needs any more."""


def folder(context: Context, component: str) -> Path | None:
    """Where the component's migrations are; None when it has none."""
    named = context.manifest.components[component].migrations
    return context.manifest.root / named if named else None


def database_address(context: Context, component: str) -> str:
    """The address the migrations run against, read from Secret Manager and masked. Raises InputError, CredentialsError."""
    target = context.target(component)
    if target.database_secret is None:
        raise InputError(
            f"{component} has migrations but no database_secret",
            where=f"shipmate.yml, environments/{context.environment}/{component}",
            next_step="name the secret with the address: database_secret: migration-database-url@1",
        )
    return address_of(context, component, target.database_secret)


def reading_address(context: Context, component: str) -> str:
    """The address that rows are counted at: of a user who may only read, where one is named. Raises as `database_address` does."""
    named = context.target(component).database_read_secret
    return address_of(context, component, named) if named else database_address(context, component)


def address_of(context: Context, component: str, secret: str) -> str:
    """An address from Secret Manager, masked. Raises CredentialsError, ProviderError; RefusedError for a pooler in transaction mode."""
    from pipelines.delivery.migrations.address import require_session
    from pipelines.providers import secret_manager

    target = context.target(component)
    address = secret_manager.access(context.http, context.credentials, target.project, secret)
    context.runtime.mask(address)
    require_session(address)
    return address


def apply(context: Context, component: str, *, phase: str, release: str, most: str | None = None) -> str:
    """Apply what is due in a phase (expand, contract, or due: both); says what was applied.

    Before the first one runs, all are judged by their text and tried on the rows there are (applying.py). `most`: contract migrations above
    this number are not in the approved plan, and wait. Raises RefusedError, and what the runner raises.
    """
    files = folder(context, component)
    if files is None:
        return "has no migrations"
    live = context.host(component).live()
    serving = [each.identity.schema if each.identity else "0000" for each in live.serving()]
    if serving and most is not None:
        serving.append(most)
    order = Order(
        component=component,
        phases=PHASES if phase == DUE else (phase,),
        release=release,
        serving=tuple(serving),
    )
    newest = _newest_contract(files, order)

    def mark() -> None:
        _mark_contracts(context, component, newest)

    if context.target(component).migrate_by == "job":
        from pipelines.delivery.migrations import by_job

        return by_job.apply(context, order, mark if newest > live.marks.contracts else None)
    return _apply_here(context, order, files, mark)


def _apply_here(context: Context, order: Order, files: Path, mark: Callable[[], object]) -> str:
    from pipelines.delivery.migrations import applying

    component = order.component
    address = database_address(context, component)
    named = context.target(component).database_read_secret
    applied = applying.apply(
        address,
        files,
        component=component,
        phases=order.phases,
        release=order.release,
        serving=order.serving,
        reading=address_of(context, component, named) if named else "",
        say=context.runtime.say,
        before=mark,
    )
    return f"applied {', '.join(applied)}" if applied else "nothing to apply"


def _newest_contract(files: Path, order: Order) -> str:
    """The number of the newest contract migration that may run now, as every release that serves knows it; 0000 for none."""
    from pipelines.delivery.migrations.files import read, superseded

    if "contract" not in order.phases or not order.serving:
        return "0000"
    known = read(files)
    gone = superseded(known)
    may_run = (each.version for each in known if each.kind == "contract" and each.version not in gone)
    return max((version for version in may_run if version <= min(order.serving)), default="0000")


def _mark_contracts(context: Context, component: str, newest: str) -> None:
    """Mark at the provider which contract migrations may run now, before they do: a rollback must know what earlier releases miss
    without asking the database."""
    if newest == "0000":
        return
    context.host(component).mark(lambda marks: replace(marks, contracts=max(marks.contracts, newest)))
