"""`shipmate thaw`: let deliveries begin again."""

from __future__ import annotations

import json

import click


@click.command("thaw", short_help="Let deliveries begin again.")
@click.option("--environment", "-e", required=True, help="Which environment.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, as_json: bool) -> None:
    """Let deliveries begin again after `shipmate freeze`.

    Example: shipmate thaw --environment production
    """
    from pipelines.commands import terminal
    from pipelines.delivery import stops
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    terminal.require_access(context)
    found = stops.thaw(context)
    if as_json:
        click.echo(
            json.dumps({"environment": environment, "changed": list(found.components), "under_way": found.under_way})
        )
        return
    click.echo(f"{environment} is open again" if found.components else f"{environment} was not frozen")
    if found.under_way:
        click.echo(f"under way: {found.under_way}")
