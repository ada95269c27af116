"""What freeze, thaw, hold and resume do besides their one change: reach the environment, and print the result."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.delivery.stops import Stopped


def signed(context: Context, reason: str) -> str:
    """The reason with who gave it."""
    return f"{reason} ({context.runtime.actor or getpass.getuser()})"


def carry_out(
    environment: str, change: Callable[[Context], Stopped], *, changed: str, same: str, as_json: bool
) -> None:
    """`changed` and `same` complete a sentence that begins with the environment's name."""
    from pipelines.commands import terminal
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    terminal.require_access(context)
    found = change(context)
    if as_json:
        facts = {"environment": environment, "changed": list(found.components), "under_way": found.under_way}
        click.echo(json.dumps(facts))
        return
    click.echo(f"{environment} {changed if found.components else same}")
    if found.under_way:
        click.echo(f"under way: {found.under_way}")
