"""`shipmate mobile promote`: bring what testers have to more people."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import mobile_stores


@click.command("promote", short_help="Bring the build that testers have to more people.")
@click.option("--to", required=True, type=click.Choice(["beta", "production"]), help="Where to.")
@click.option("--version", default="", help="Version or tag; without it the newest that testers have.")
@click.option(
    "--percent",
    type=int,
    default=None,
    help="Share of Google Play's users; it only rises. 100 with ios ends its phases.",
)
@click.option("--phased", is_flag=True, help="On the App Store: 1, 2, 5, 10, 20, 50, 100 % over seven days.")
@mobile_stores.platform_option
@mobile_stores.json_option
def command(to: Any, version: str, percent: int | None, phased: bool, platform: Any, as_json: bool) -> None:
    """Bring the build that testers have to beta testers or to production. The build is found in the stores by its version.

    It waits for no review: what is waited for is printed, and the same command goes on with it later. More people get a build only while it
    does well (`mobile/watch`): exit 6 when it is held, 7 when it does badly and was halted.

    Example: shipmate mobile promote --to production --version 1.0.1 --percent 20 --platform android
    """
    from pipelines.commands import terminal
    from pipelines.mobile.promotion_plan import Request

    found = mobile_stores.promotions()
    request = Request(to=to, version=version, percent=percent, phased=phased, platform=platform)
    with terminal.busy("asking the stores"):
        outcomes = found.carry_out(found.plan(request))
    mobile_stores.print_outcomes(outcomes, as_json=as_json)
