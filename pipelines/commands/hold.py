"""`shipmate hold`: keep the delivery under way where it is."""

from __future__ import annotations

import click

from pipelines.commands import options


@click.command("hold", short_help="Keep the delivery under way where it is.")
@options.environment()
@click.option("--reason", required=True, help="Why, for everybody whom it stops.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, reason: str, as_json: bool) -> None:
    """Keep the delivery under way where it is, before its next step of traffic, until `shipmate resume`. It goes back to what was
    live when it is held longer than the manifest's `hold_seconds`.

    Example: shipmate hold --environment production --reason "we look at the error rate"
    """
    from pipelines.commands import stopping
    from pipelines.delivery import stops

    stopping.carry_out(
        environment,
        lambda context: stops.hold(context, stopping.signed(context, reason)),
        changed="is held",
        same="is held already",
        as_json=as_json,
    )
