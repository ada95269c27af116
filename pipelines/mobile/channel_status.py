"""What the devices of a channel are given over the air: for each platform the newest update of the channel's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.errors import InputError, ShipmateError
from pipelines.mobile.status import UNKNOWN, Row

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform
    from pipelines.providers.eas_updates import EasUpdates, Group

STORE = "over the air"


def rows(updates: EasUpdates | None, channel: str, platforms: Sequence[Platform]) -> list[Row]:
    """A row for each platform; `updates` is None where there is no token to ask with."""
    try:
        if updates is None:
            return [_row(each, channel, state=UNKNOWN, why="EXPO_TOKEN is not set") for each in platforms]
        groups = updates.groups(updates.branch(channel))
    except InputError:  # a channel exists from its first build or update on
        groups = []
    except ShipmateError as error:
        return [_row(each, channel, state=UNKNOWN, why=error.what) for each in platforms]
    return [_of(each, channel, groups) for each in platforms]


def _of(platform: Platform, channel: str, groups: Sequence[Group]) -> Row:
    newest = next((each for each in groups if platform in each.platforms), None)
    if newest is None:
        return _row(platform, channel, state="nothing")
    if newest.embedded:
        return _row(platform, channel, build=newest.id, percent="100 %", state="as built")
    state = "rolling out" if newest.rolling_out else "released"
    return _row(platform, channel, build=newest.id, percent=f"{newest.percent} %", state=state)


def _row(
    platform: Platform, channel: str, *, build: str = "", percent: str = "", state: str = "", why: str = ""
) -> Row:
    return Row(
        platform=platform,
        store=STORE,
        track=f"channel {channel}",
        build=build[:8],
        percent=percent,
        state=state,
        why=why,
    )
