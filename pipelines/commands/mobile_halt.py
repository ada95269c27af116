"""`shipmate mobile halt`: let nobody else get what is being rolled out."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import mobile_stores


@click.command("halt", short_help="Let nobody else get the version that is being rolled out.")
@mobile_stores.platform_option
@mobile_stores.json_option
def command(platform: Any, as_json: bool) -> None:
    """Halt the roll-out on Google Play, and pause the phased release on the App Store. Who has the version keeps it.

    Example: shipmate mobile halt
    """
    from pipelines.commands import terminal

    found = mobile_stores.promotions()
    with terminal.busy("asking the stores"):
        outcomes = found.halt(platform)
    mobile_stores.print_outcomes(outcomes, as_json=as_json)
