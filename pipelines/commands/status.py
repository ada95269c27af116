"""`shipmate status`: what is live where, by the providers; since when, by whom and from which run, by the ledger; and where they differ."""

from __future__ import annotations

import json as jsonlib
from typing import Any

import click


@click.command("status", short_help="What is live where, since when, by whom, from which run.")
@click.option("--environment", "-e", "environments", multiple=True, help="Only this environment (may be repeated).")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environments: tuple[str, ...], as_json: bool) -> None:
    """What is live where, since when, by whom, from which run.

    The providers say what is live; the ledger says how it came to be. Where they differ it is drift, and shown.

    Example: shipmate status --environment production
    """
    from pipelines.commands import terminal
    from pipelines.delivery.status import COLUMNS, status
    from pipelines.manifest import load

    manifest = load()
    names = environments or tuple(manifest.environments)
    rows: list[dict[str, Any]] = []
    with terminal.busy(f"asking {len(names)} environment(s)"):
        for name in names:
            context = terminal.context(manifest, name)
            terminal.require_access(context)
            rows += status(context)
    if as_json:
        click.echo(jsonlib.dumps(rows, indent=2))
        return
    click.echo(terminal.table(rows, COLUMNS))
