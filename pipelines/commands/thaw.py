"""`shipmate thaw`: let deliveries begin again."""

from __future__ import annotations

import click

from pipelines.commands import options


@click.command("thaw", short_help="Let deliveries begin again.")
@options.environment()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, as_json: bool) -> None:
    """Let deliveries begin again after `shipmate freeze`.

    Example: shipmate thaw --environment production
    """
    from pipelines.commands import stopping
    from pipelines.delivery import stops

    stopping.carry_out(
        environment,
        stops.thaw,
        changed="is open again",
        same="was not frozen",
        as_json=as_json,
    )
