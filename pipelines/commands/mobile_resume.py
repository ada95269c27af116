"""`shipmate mobile resume`: go on with what was halted."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import mobile_stores


@click.command("resume", short_help="Go on with a version that was halted, at the share that it has.")
@mobile_stores.platform_option
@mobile_stores.json_option
def command(platform: Any, as_json: bool) -> None:
    """Go on with the roll-out on Google Play and the phased release on the App Store. While it does badly, the next run that watches it
    halts it again.

    Example: shipmate mobile resume --platform android
    """
    from pipelines.commands import terminal

    found = mobile_stores.promotions()
    with terminal.busy("asking the stores"):
        outcomes = found.resume(platform)
    mobile_stores.print_outcomes(outcomes, as_json=as_json)
