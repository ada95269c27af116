"""Options that commands share, with the values that a shell completes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pipelines.commands import completion

Command = Callable[..., Any]


def environment(says: str = "Which environment.") -> Callable[[Command], Command]:
    """`--environment`, which must be given."""
    return click.option("--environment", "-e", required=True, shell_complete=completion.environments, help=says)


def environments() -> Callable[[Command], Command]:
    """`--environment`, any number of them; without one, all that the manifest has."""
    return click.option(
        "--environment", "-e", "environments",
        multiple=True, shell_complete=completion.environments, help="Only this environment (may be repeated).",
    )  # fmt: skip
