"""`shipmate resume`: let a delivery that is held go on."""

from __future__ import annotations

import json

import click


@click.command("resume", short_help="Let a delivery that is held go on.")
@click.option("--environment", "-e", required=True, help="Which environment.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, as_json: bool) -> None:
    """Let the delivery go on that `shipmate hold` keeps.

    Example: shipmate resume --environment production
    """
    from pipelines.commands import terminal
    from pipelines.delivery import stops
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    terminal.require_access(context)
    found = stops.resume(context)
    if as_json:
        click.echo(
            json.dumps({"environment": environment, "changed": list(found.components), "under_way": found.under_way})
        )
        return
    click.echo(f"{environment} goes on" if found.components else f"{environment} was not held")
    if found.under_way:
        click.echo(f"under way: {found.under_way}")
