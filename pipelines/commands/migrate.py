"""`shipmate migrate`: apply database migrations by hand, as the migrate action does."""

from __future__ import annotations

import json

import click


@click.command("migrate", short_help="Apply database migrations.")
@click.option("--database", envvar="DATABASE_URL", required=True, help="Address of the database (or DATABASE_URL).")
@click.option("--component", default="", help="Whose migrations; without it those of the only component that has some.")
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
    having = {name: known.migrations for name, known in manifest.components.items() if known.migrations}
    folder = having.get(component) or (next(iter(having.values())) if not component and len(having) == 1 else None)
    if folder is None:
        raise InputError(
            f"{component} has no migrations"
            if component
            else f"{len(having)} components have migrations, and none is named",
            where="shipmate.yml",
            next_step=f"components that have: {', '.join(having) or 'none'}",
        )
    with terminal.busy("migrating"):
        applied = migrations.run(database, manifest.root / folder, phase=phase, release=release)
    if as_json:
        click.echo(json.dumps({"phase": phase, "release": release, "applied": applied}))
    else:
        click.echo(f"applied {', '.join(applied)}" if applied else "nothing to apply")
