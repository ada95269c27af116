"""`shipmate hold`: keep the delivery under way where it is."""

from __future__ import annotations

import getpass
import json

import click


@click.command("hold", short_help="Keep the delivery under way where it is.")
@click.option("--environment", "-e", required=True, help="Which environment.")
@click.option("--reason", required=True, help="Why, for everybody whom it stops.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, reason: str, as_json: bool) -> None:
    """Keep the delivery under way where it is, before its next step of traffic, until `shipmate resume`. It goes back to what was
    live when it is held longer than the manifest's `hold_seconds`.

    Example: shipmate hold --environment production --reason "we look at the error rate"
    """
    from pipelines.commands import terminal
    from pipelines.delivery import stops
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    terminal.require_access(context)
    found = stops.hold(context, f"{reason} ({context.runtime.actor or getpass.getuser()})")
    if as_json:
        click.echo(
            json.dumps({"environment": environment, "changed": list(found.components), "under_way": found.under_way})
        )
        return
    click.echo(f"{environment} is held" if found.components else f"{environment} is held already")
    if found.under_way:
        click.echo(f"under way: {found.under_way}")
