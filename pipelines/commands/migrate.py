"""`shipmate migrate`: apply database migrations by hand, as the migrate action does."""

from __future__ import annotations

import json

import click


@click.command("migrate", short_help="Apply database migrations.")
@click.option("--database", envvar="DATABASE_URL", required=True, help="Address of the database (or DATABASE_URL).")
@click.option("--component", default="backend", show_default=True, help="Whose migrations.")
@click.option(
    "--phase", type=click.Choice(["expand", "contract"]), default="expand", show_default=True, help="Which kind is due."
)
@click.option("--release", default="development", show_default=True, help="Written down beside each migration.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(database: str, component: str, phase: str, release: str, as_json: bool) -> None:
    """Apply the migrations that are due: once, under a lock, each in a transaction. Run again after a kill, it goes on.

    Example: shipmate migrate --database postgresql://localhost/techmate
    """
    from pipelines.commands import terminal
    from pipelines.delivery.migrations import due as migrations
    from pipelines.errors import InputError
    from pipelines.manifest import load

    manifest = load()
    found = manifest.components.get(component)
    if found is None or found.migrations is None:
        having = ", ".join(name for name, known in manifest.components.items() if known.migrations)
        raise InputError(
            f"{component} has no migrations",
            where="shipmate.yml",
            next_step=f"components that have: {having or 'none'}",
        )
    with terminal.busy("migrating"):
        applied = migrations.run(database, manifest.root / found.migrations, phase=phase, release=release)
    if as_json:
        click.echo(json.dumps({"phase": phase, "release": release, "applied": applied}))
    else:
        click.echo(f"applied {', '.join(applied)}" if applied else "nothing to apply")
