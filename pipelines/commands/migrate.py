"""`shipmate migrate`: apply database migrations by hand, as a deployment does, and judge them without a database."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipelines.manifest import Manifest


@click.group("migrate", short_help="Apply database migrations.", invoke_without_command=True)
@click.option("--database", envvar="DATABASE_URL", help="Address of the database (or DATABASE_URL); needed to apply.")
@click.option("--component", default="", help="Whose migrations; without it those of the only component that has some.")
@click.option(
    "--phase", type=click.Choice(["expand", "contract"]), default="expand", show_default=True, help="Which kind is due."
)
@click.option("--release", default="development", show_default=True, help="Written down beside each migration.")
@click.option(
    "--serving",
    metavar="NNNN",
    help="The highest migration that every release with traffic knows: contract ones run up to it.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def command(
    ctx: click.Context,
    database: str | None,
    component: str,
    phase: str,
    release: str,
    serving: str | None,
    as_json: bool,
) -> None:
    """Apply the migrations that are due: once, under a lock, each in a transaction. Run again after a kill, it goes on.

    Example: shipmate migrate --database postgresql://localhost/techmate
    """
    if ctx.invoked_subcommand is not None:
        return
    from pipelines.commands import terminal
    from pipelines.delivery.migrations import runner
    from pipelines.errors import InputError
    from pipelines.manifest import load

    if not database:
        raise click.UsageError("Missing option '--database' (or DATABASE_URL).")
    folders = _folders(load(), component)
    if len(folders) != 1:
        raise InputError(
            f"{len(folders)} components have migrations, and none is named",
            where="shipmate.yml",
            next_step=f"name one with --component: {', '.join(folders) or 'there is none'}",
        )
    with terminal.busy("migrating"):
        applied = runner.run(
            database, next(iter(folders.values())), phase=phase, release=release, serving=[serving] if serving else None
        )
    if as_json:
        click.echo(json.dumps({"phase": phase, "release": release, "applied": applied}))
    else:
        click.echo(f"applied {', '.join(applied)}" if applied else "nothing to apply")


@command.command("lint", short_help="Judge migrations without a database.")
@click.option("--component", default="", help="Whose migrations; without it those of every component.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def lint(component: str, as_json: bool) -> None:
    """Judge every migration: what would break the release that serves, or make its users wait, is named with what to do instead.

    Example: shipmate migrate lint
    """
    from pipelines.delivery.migrations import lint as linting
    from pipelines.delivery.migrations import rules
    from pipelines.manifest import load

    folders = _folders(load(), component)
    found = [each for folder in folders.values() for each in linting.judge(folder)]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
    if found:
        raise rules.refused(found)
    if not as_json:
        click.echo(f"the migrations of {', '.join(folders) or 'no component'} break no rule")


def _folders(manifest: Manifest, component: str) -> dict[str, Path]:
    """Component -> where its migrations are, of the one that is named or of all. Raises InputError for one that has none."""
    from pipelines.errors import InputError

    having = {name: manifest.root / known.migrations for name, known in manifest.components.items() if known.migrations}
    if not component:
        return having
    if component not in having:
        raise InputError(
            f"{component} has no migrations",
            where="shipmate.yml",
            next_step=f"components that have: {', '.join(having) or 'none'}",
        )
    return {component: having[component]}
