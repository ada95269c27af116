"""`shipmate mobile rollback`: roll back an update over the air."""

from __future__ import annotations

import click

from pipelines.commands import mobile_channel


@click.command("rollback", short_help="Roll back an update over the air.")
@mobile_channel.channel_option
@click.option("--reason", default="asked for", help="Kept at EAS, in the message of what comes instead.")
@mobile_channel.json_option
def command(channel: str, reason: str, as_json: bool) -> None:
    """Roll back what is rolled out on a channel, or else what everybody was given last; devices get what they had before.

    Needs EXPO_TOKEN and the app's folder, and works while GitHub is down. Killed on the way it is finished by running it again; asked for
    again when it is done it says so. What is wrong with a build itself is not fixed by this: `shipmate mobile halt` stops its roll-out.

    Example: shipmate mobile rollback --channel production
    """
    from pathlib import Path

    from pipelines.commands import terminal

    context = mobile_channel.context()
    found = mobile_channel.updates(context, Path(context.mobile.app), channel)
    with terminal.busy("asking EAS"):
        result = found.roll_back(reason)
    mobile_channel.print_result(result, as_json=as_json)
