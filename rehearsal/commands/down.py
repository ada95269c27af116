"""`shipmate down`: end the world that `shipmate up` keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rehearsal.commands import checkout

if TYPE_CHECKING:
    from rehearsal.world.ending import Ended


@click.command("down", short_help="End the world that `shipmate up` keeps.")
@checkout.option
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
def command(repository: Path | None, as_json: bool) -> None:
    """End the world of this checkout, in the background or in another terminal; return when its processes, ports and files are gone.

    Exit 0 when it has ended, and when there was none: the output says which. Exit 11 when a process cannot be ended.

    Example: shipmate down
    """
    from rehearsal.commands.errors import LocalError
    from rehearsal.world import ending
    from rehearsal.world.record import RecordPlace

    place = RecordPlace(checkout.find(repository))
    ended = ending.end(place)
    if as_json:
        click.echo(json.dumps(_document(place.repository, ended), indent=2))
    else:
        click.echo(_sentence(place.repository, ended))
    if ended.left:
        pids = ", ".join(map(str, ended.left))
        raise LocalError(f"processes of the world are still there: {pids}\n  next: look at them with `ps -fp {pids}`")


def _document(repository: Path, ended: Ended) -> dict[str, object]:
    record = ended.record
    return {
        "outcome": ended.outcome.value,
        "repository": str(repository),
        "process": None if record is None else record.keeper.pid,
        "folder": None if record is None else record.root or None,
        "left": list(ended.left),
    }


def _sentence(repository: Path, ended: Ended) -> str:
    from rehearsal.world.ending import Outcome

    pid = "" if ended.record is None else f"process {ended.record.keeper.pid}"
    return {
        Outcome.ENDED: f"The world of {repository} has ended ({pid}).",
        Outcome.SIGNALLED: f"The world of {repository} was not ready or did not answer, and was ended by signals ({pid}).",
        Outcome.STALE: f"The world of {repository} had been killed ({pid}); what it left is removed.",
        Outcome.NONE: f"No world of {repository} is up; nothing to end.",
    }[ended.outcome]
