"""Errors of the world itself, as errors of the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


class LocalError(click.ClickException):
    """A problem of this machine (exit code of the suite's LocalError)."""

    exit_code = 11


@contextmanager
def explained() -> Iterator[None]:
    """Turn WorldFailed into one message and exit code 11."""
    from rehearsal.world.handle import WorldFailed

    try:
        yield
    except WorldFailed as error:
        raise LocalError(str(error)) from error
