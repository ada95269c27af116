"""Failures of the world itself, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


class LocalTrouble(click.ClickException):
    """This machine is in the way (the suite's LocalError)."""

    exit_code = 11


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a world can fail with into one clear message and exit code 11."""
    from rehearsal.world.handle import WorldFailed

    try:
        yield
    except WorldFailed as error:
        raise LocalTrouble(str(error)) from error
