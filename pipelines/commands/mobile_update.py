"""`shipmate mobile update`: change the app over the air."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.commands import mobile_channel

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.mobile.context import Context
    from pipelines.mobile.updates import Change


@click.command("update", short_help="Change the app over the air, for a share of the devices.")
@mobile_channel.channel_option
@click.option("--percent", required=True, type=click.IntRange(1, 100), help="Share of the devices; it only rises.")
@click.option(
    "--watch",
    "minutes",
    type=click.FloatRange(0),
    default=0.0,
    help="Minutes to look at how it does; when badly, it is rolled back.",
)
@click.option("--message", default="", help="What it is; without it the subject of the commit.")
@click.option("--platform", type=click.Choice(["android", "ios"]), default=None, help="Only this one.")
@click.option("--again", is_flag=True, help="Although this commit was rolled back before.")
@mobile_channel.json_option
def command(
    channel: str, percent: int, minutes: float, message: str, platform: Any, again: bool, as_json: bool
) -> None:
    """Publish the commit that is checked out to a channel's devices, or give it to more of those. Needs its packages: `npm ci` before.

    It reaches builds of the same fingerprint; a change that none of them can run is refused, and goes through the stores. More devices get
    it only while it does well (`mobile/watch`): exit 6 when it is held, 7 when it did badly and was rolled back.

    Example: shipmate mobile update --channel production --percent 10 --watch 30
    """
    from pathlib import Path

    from pipelines.commands import terminal

    context = mobile_channel.context()
    folder = Path(context.mobile.app)
    found = mobile_channel.updates(context, folder, channel)
    platforms = (platform,) if platform else context.mobile.platforms
    with terminal.busy("asking EAS"):
        change = _change(context, folder, channel, percent, message, platforms, again=again)
        result = found.publish(change)
    if result.updates:
        mobile_channel.upload_source_maps(context, folder)
    if minutes and not result.halted and not result.held:
        result = found.watch(result, minutes)
    mobile_channel.print_result(result, as_json=as_json)


def _change(
    context: Context, folder: Path, channel: str, percent: int, message: str, platforms: Any, *, again: bool
) -> Change:
    from pipelines.errors import InputError
    from pipelines.mobile import app, checkout
    from pipelines.mobile.updates import Change, builds_on_channel

    head, files, eas = checkout.head(folder), app.read(folder), context.eas_in(folder)
    profile = context.mobile.eas.profile
    settings = files.profile(profile)
    if settings is None:
        raise InputError(
            f"eas.json has no profile {profile!r}", where=str(folder / app.EAS), next_step="see `mobile/eas/profile`"
        )
    return Change(
        commit=head.commit,
        version=files.version,
        message=message or head.subject,
        percent=percent,
        platforms=platforms,
        environment=str(settings.get("environment", "production")),
        runtimes={each: eas.fingerprint(each, profile) for each in platforms},
        builds=builds_on_channel(eas, platforms, channel),
        again=again,
    )
