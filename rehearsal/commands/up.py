"""`shipmate up`: start a world and keep it up, in this terminal or in the background."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rehearsal.commands import checkout

if TYPE_CHECKING:
    from rehearsal.scenario.world_client import WorldClient
    from rehearsal.world.handle import World
    from rehearsal.world.record import Record, RecordPlace


@click.command("up", short_help="Start the world on this machine and keep it up.")
@checkout.option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the emulated GitHub and of every site, for fixed addresses; any free one by default.",
)
@click.option("--detach", is_flag=True, help="Return once the world is ready; it goes on until `shipmate down`.")
@click.option(
    "--hours",
    type=click.FloatRange(min=0, max=168, min_open=True),
    default=None,
    help="End it by itself after so long; 12 by default with --detach, else Ctrl-C alone ends it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print its addresses as JSON.")
def command(repository: Path | None, port: int, detach: bool, hours: float | None, as_json: bool) -> None:
    """Start every emulator and a GitHub with this repository in it, print their addresses, and keep them up until Ctrl-C.

    A checkout has one such world: when it is up already, its addresses are printed and nothing is started. Exit 11 when it cannot start.

    Example: shipmate up --detach --port 8080
    """
    from rehearsal.commands.errors import explained, interruptible
    from rehearsal.world import handle, record

    place = record.RecordPlace(checkout.find(repository))
    with explained(), interruptible():
        handle.require_linux()
        if place.held():
            _print_running(place, port, as_json=as_json)
        elif detach:
            _detach(place, port, hours, as_json=as_json)
        else:
            _stay(place, port, hours, as_json=as_json)


def _stay(place: RecordPlace, port: int, hours: float | None, *, as_json: bool) -> None:
    """Keep it up in this terminal."""
    from rehearsal.world.keeper import keep
    from rehearsal.world.record import Taken

    def ready(world: World, client: WorldClient, record: Record) -> None:
        first = f"The world is up after {world.seconds_to_ready:.1f} s. Ctrl-C or `shipmate down` stops it."
        _print(first, place, client, record, as_json=as_json)

    try:
        why = keep(place.repository, port=port, hours=hours, detached=False, ready=ready)
    except Taken:  # by one that began in the same moment
        _print_running(place, port, as_json=as_json)
        return
    click.echo(f"\nstopping everything: {why}", err=as_json)


def _detach(place: RecordPlace, port: int, hours: float | None, *, as_json: bool) -> None:
    """Have another process keep it up."""
    from rehearsal.world import keeper

    if not keeper.start(place, port=port, hours=keeper.HOURS if hours is None else hours):
        _print_running(place, port, as_json=as_json)
        return
    client, record = _running(place)
    first = f"The world is up, in the background. `shipmate down` ends it; else it ends by itself {_ends(record)}."
    _print(first, place, client, record, as_json=as_json)


def _print_running(place: RecordPlace, port: int, *, as_json: bool) -> None:
    """Say that there is one, and where. Raises LocalError when it has another port than the wanted one."""
    from rehearsal.commands.errors import LocalError

    client, record = _running(place)
    if port and not client.server.endswith(f":{port}"):
        raise LocalError(
            f"the world of {place.repository} is up at {client.server} already, and cannot change its port",
            f"shipmate down, then shipmate up --port {port}",
        )
    how = "in the background" if record.detached else "in another terminal"
    first = f"The world of {place.repository} is up already, {how} (process {record.keeper.pid})."
    _print(f"{first} `shipmate down` ends it.", place, client, record, as_json=as_json, already=True)


def _running(place: RecordPlace) -> tuple[WorldClient, Record]:
    """The world that another process keeps, once it is ready. Raises WorldFailed when it is not in time, or ends before."""
    from rehearsal.scenario.world_client import WorldClient
    from rehearsal.world.keeper import wait_until_ready

    record = wait_until_ready(place)
    return WorldClient.read(Path(record.root) / "world.json"), record


def _print(
    first: str, place: RecordPlace, client: WorldClient, record: Record, *, as_json: bool, already: bool = False
) -> None:
    from rehearsal.commands import addresses

    if as_json:
        found = {"already": already, **addresses.document(client, record), "log": str(place.log)}
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"{first}\n")
    for line in addresses.lines(client):
        click.echo(line)
    if record.detached:
        click.echo(f"  What it prints goes to {place.log} and {client.root}/world.log")


def _ends(record: Record) -> str:
    from datetime import datetime

    return "never" if record.ends is None else f"on {datetime.fromtimestamp(record.ends):%d %B at %H:%M}"
