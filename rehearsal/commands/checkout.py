"""Which checkout a command is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

MANIFEST = "shipmate.yml"


def option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--repository`."""
    return click.option(
        "--repository",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        default=None,
        help="The checkout to deliver; that of the current folder by default.",
    )(function)


def find(given: Path | None) -> Path:
    """The repository to deliver: the given one, or the checkout of the current folder. Raises CommandError outside of one."""
    if given is not None:
        return given.resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / MANIFEST).is_file():
            return folder
    from rehearsal.commands.errors import CommandError

    raise CommandError(
        f"{here} is in no checkout of a platform: there is no {MANIFEST} here or above",
        "run this inside the platform's repository, or name one with --repository FOLDER",
    )
