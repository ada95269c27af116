"""`shipmate status`: what is live where, by the providers; since when, by whom and from which run, by the ledger; and where they differ."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands import options

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.manifest import Manifest

COLUMNS = ("component", "release", "traffic", "stable", "since", "by", "approved", "run")
NOTES = {"stops": "yellow", "split": "yellow", "drift": "red"}
"""What stands below the table where there is some, in a line of its own, with its colour."""
EVERY = 5.0
"""Seconds between two looks of `--watch`."""
LONGEST = 12 * 3600.0
"""Seconds after which `--watch` ends by itself."""


@click.command("status", short_help="What is live where, since when, by whom, from which run.")
@options.environments()
@click.option("--watch", is_flag=True, help="Look again every five seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environments: tuple[str, ...], watch: bool, as_json: bool) -> None:
    """What is live where, since when, by whom, from which run.

    The providers say what is live; the ledger says how it came to be. Where they differ it is drift, and shown; that components
    of an environment serve different releases is shown as split.

    Example: shipmate status --environment production
    """
    from pipelines.manifest import load

    manifest = load()
    names = environments or tuple(manifest.environments)
    if watch:
        _watch(manifest, names, as_json)
    elif as_json:
        click.echo(jsonlib.dumps(_rows(manifest, names), indent=2))
    else:
        click.echo(_shown(manifest, names))


def _watch(manifest: Manifest, names: Sequence[str], as_json: bool) -> None:
    """Look again and again; as JSON one line for each look."""
    from pipelines.clock import Clock
    from pipelines.polling import Polling

    clock = Clock()
    try:
        for _ in Polling(interval=EVERY).looks(clock, clock.deadline(LONGEST)):
            text = jsonlib.dumps(_rows(manifest, names)) if as_json else _shown(manifest, names)
            if not as_json:
                click.clear()
            click.echo(text)
    except KeyboardInterrupt:
        return


def _shown(manifest: Manifest, names: Sequence[str]) -> str:
    from datetime import UTC, datetime

    return as_text(_rows(manifest, names), datetime.now(UTC))


def _rows(manifest: Manifest, names: Sequence[str]) -> list[dict[str, Any]]:
    from pipelines.commands import terminal
    from pipelines.delivery.status import status

    rows: list[dict[str, Any]] = []
    with terminal.busy(f"asking {len(names)} environment(s)"):
        for name in names:
            context = terminal.context(manifest, name)
            terminal.require_access(context)
            rows += [{key: value or None for key, value in row.items()} for row in status(context)]
    return rows


def as_text(rows: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """A table for each environment, and what is to be looked at below it."""
    from pipelines.commands import terminal

    parts = []
    for environment in dict.fromkeys(row["environment"] for row in rows):
        own = [row for row in rows if row["environment"] == environment]
        lines = [click.style(environment, bold=True)]
        lines += [f"  {line}" for line in terminal.table([_cells(row, now) for row in own], COLUMNS).split("\n")]
        for note, colour in NOTES.items():
            found = {row["component"]: row[note] for row in own if row[note]}
            lines += [click.style(f"  ! {component}: {text}", fg=colour) for component, text in found.items()]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _cells(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A row as people read it: how long ago, and a run by its number; `--json` has the time and the address."""
    from pipelines.commands import terminal

    run = str(row["run"] or "").partition("/actions/runs/")[2].partition("/")[0]
    return {
        **row,
        "release": row["release"] or "nothing",
        "since": terminal.ago(row["since"], now) if row["since"] else None,
        "run": f"#{run}" if run else row["run"],
    }
