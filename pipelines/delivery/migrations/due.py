"""Migrations of an environment's database: the address from Secret Manager, the folder from the manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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
    from pipelines.providers import secret_manager

    target = context.target(component)
    if target.database_secret is None:
        raise InputError(
            f"{component} has migrations but no database_secret",
            where=f"shipmate.yml, environments/{context.environment}/{component}",
            next_step="name the secret with the address: database_secret: migration-database-url@1",
        )
    address = secret_manager.access(context.http, context.credentials, target.project, target.database_secret)
    context.runtime.mask(address)
    return address


def apply(context: Context, component: str, *, phase: str, release: str, most: str | None = None) -> str:
    """Apply what is due in a phase (expand, contract, or due: both); says what was applied.

    `most`: contract migrations above this number are not in the approved plan, and wait.
    """
    files = folder(context, component)
    if files is None:
        return "has no migrations"
    address = database_address(context, component)
    phases = PHASES if phase == DUE else (phase,)
    serving = _serving_schemas(context, component)
    if serving and most is not None:
        serving.append(most)
    if "contract" in phases and serving:
        _remember(context, component, files, min(serving))
    applied = [name for one in phases for name in run(address, files, phase=one, release=release, serving=serving)]
    return f"applied {', '.join(applied)}" if applied else "nothing to apply"


def run(database: str, files: Path, *, phase: str, release: str, serving: list[str] | None = None) -> list[str]:
    """Names of what was applied to a database whose address is known.

    `serving` are the schemas of the releases that have traffic: a contract migration waits until each of them knows it.
    """
    from pipelines.delivery.migrations import runner as migrate

    return migrate.run(database, files, phase=phase, release=release, serving=serving)


def _serving_schemas(context: Context, component: str) -> list[str]:
    live = context.host(component).live()
    return [d.identity.schema if d.identity else "0000" for d in live.serving()]


def _remember(context: Context, component: str, files: Path, least: str) -> None:
    """Mark at the provider which contract migrations may run now, before they do: a rollback must know what earlier releases miss
    without asking the database."""
    from pipelines.delivery.migrations.files import read

    newest = max(
        (each.version for each in read(files) if each.kind == "contract" and each.version <= least), default="0000"
    )
    context.host(component).mark(lambda marks: replace(marks, contracts=max(marks.contracts, newest)))
