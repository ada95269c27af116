"""`shipmate resume`: let a delivery that is held go on."""

from __future__ import annotations

import click

from pipelines.commands import options


@click.command("resume", short_help="Let a delivery that is held go on.")
@options.environment()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, as_json: bool) -> None:
    """Let the delivery go on that `shipmate hold` keeps.

    Example: shipmate resume --environment production
    """
    from pipelines.commands import stopping
    from pipelines.delivery import stops

    stopping.carry_out(
        environment,
        stops.resume,
        changed="goes on",
        same="was not held",
        as_json=as_json,
    )
