"""`shipmate freeze`: let no delivery begin in an environment."""

from __future__ import annotations

import getpass
import json

import click


@click.command("freeze", short_help="Let no delivery begin in an environment.")
@click.option("--environment", "-e", required=True, help="Which environment.")
@click.option("--reason", required=True, help="Why, for everybody whom it stops.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, reason: str, as_json: bool) -> None:
    """Let no delivery begin in an environment until `shipmate thaw`. It is a mark at the providers: plans are refused, and so is what was
    approved before. A delivery that moves traffic already goes on (`shipmate hold` keeps it), and a rollback is always possible.

    Example: shipmate freeze --environment production --reason "the sale until Monday"
    """
    from pipelines.commands import terminal
    from pipelines.delivery import stops
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    terminal.require_access(context)
    found = stops.freeze(context, f"{reason} ({context.runtime.actor or getpass.getuser()})")
    if as_json:
        click.echo(
            json.dumps({"environment": environment, "changed": list(found.components), "under_way": found.under_way})
        )
        return
    click.echo(f"{environment} is frozen" if found.components else f"{environment} is frozen already")
    if found.under_way:
        click.echo(f"under way: {found.under_way}")
