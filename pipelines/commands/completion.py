"""`shipmate completion`: the script that makes a shell complete commands, options and their values; and where the values come from.

A value is completed from the manifest of the current folder and from its tags. Where there are none, nothing is offered: a
completion never fails.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.manifest import Manifest

VARIABLE = "_SHIPMATE_COMPLETE"
"""What a shell sets to ask for completions (click.palletsprojects.com, Shell Completion)."""
NEWEST = 30
"""Tags that are offered."""


@click.command("completion", short_help="Completion of commands and their values, for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that makes a shell complete commands, options, environments, components and versions.

    Example: shipmate completion bash >> ~/.bashrc
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise AssertionError(f"click has no completion for {shell}")
    click.echo(kind(click.get_current_context().find_root().command, {}, "shipmate", VARIABLE).source())


def environments(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The environments of the manifest."""
    return _starting(incomplete, (found.environments if (found := _manifest()) else ()))


def components(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The components that live in the environment that was named, or in any."""
    found = _manifest()
    if found is None:
        return []
    named = ctx.params.get("environment")
    there = [each for name, each in found.environments.items() if named in (None, name)]
    return _starting(incomplete, dict.fromkeys(component for each in there for component in each.targets))


def versions(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The newest tags of the clone."""
    command = ["git", "tag", "--sort=-creatordate", "--list", f"{incomplete}*"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return _starting(incomplete, listed.stdout.split()[:NEWEST])


def _manifest() -> Manifest | None:
    from pipelines.manifest import load

    try:
        return load()
    except (ShipmateError, OSError):
        return None


def _starting(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
