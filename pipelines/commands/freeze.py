"""`shipmate freeze`: let no delivery begin in an environment."""

from __future__ import annotations

import click

from pipelines.commands import options


@click.command("freeze", short_help="Let no delivery begin in an environment.")
@options.environment()
@click.option("--reason", required=True, help="Why, for everybody whom it stops.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, reason: str, as_json: bool) -> None:
    """Let no delivery begin in an environment until `shipmate thaw`. It is a mark at the providers: plans are refused, and so is what was
    approved before. A delivery that moves traffic already goes on (`shipmate hold` keeps it), and a rollback is always possible.

    Example: shipmate freeze --environment production --reason "the sale until Monday"
    """
    from pipelines.commands import stopping
    from pipelines.delivery import stops

    stopping.carry_out(
        environment,
        lambda context: stops.freeze(context, stopping.signed(context, reason)),
        changed="is frozen",
        same="is frozen already",
        as_json=as_json,
    )
