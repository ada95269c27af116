"""`shipmate mobile status`: what the stores have of the apps."""

from __future__ import annotations

import json as jsonlib
import textwrap
from typing import TYPE_CHECKING

import click

from pipelines.commands import mobile_stores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.mobile.status import Row

WIDTH = 100


@click.command("status", short_help="What the stores have: versions, builds, shares, reviews, crash-free rates.")
@mobile_stores.json_option
def command(as_json: bool) -> None:
    """For each track of each store: version, build, share of users, state, review and crash-free rate; and what goes over the air.

    Reads APP_STORE_KEY, EXPO_TOKEN and SENTRY_READ_TOKEN, and the account that Google knows here. What cannot be read is unknown, and the
    reason stands below. Nothing is changed.

    Example: shipmate mobile status
    """
    from pipelines.commands import terminal
    from pipelines.mobile import status

    found = mobile_stores.promotions()
    with terminal.busy("asking the stores"):
        rows = [*status.status(found), *_channel()]
    if as_json:
        click.echo(jsonlib.dumps([row.as_data() for row in rows], indent=2))
        return
    click.echo(terminal.table([row.as_data() for row in rows], status.COLUMNS))
    for line in _reasons(rows):
        click.echo(line)


def _channel() -> list[Row]:
    """What the builds of the stores are given over the air: their channel is called as their profile is."""
    import sys

    from pipelines.manifest import load
    from pipelines.mobile import channel_status
    from pipelines.mobile.context import open_context
    from pipelines.providers.eas_updates import EasUpdates
    from pipelines.runtime import Runtime

    context = open_context(load(), Runtime(stream=sys.stderr))
    updates = EasUpdates(context.eas) if context.access.expo_token else None
    return channel_status.rows(updates, context.mobile.eas.profile, context.mobile.platforms)


def _reasons(rows: Sequence[Row]) -> Iterator[str]:
    """Why something is unknown, each reason once."""
    values: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.why:
            values.setdefault(row.why, {})[f"{row.platform} {row.track}"] = None
    for why, where in values.items():
        yield from textwrap.wrap(
            f"{', '.join(where)}: {why}", WIDTH, initial_indent="unknown, ", subsequent_indent="  "
        )
