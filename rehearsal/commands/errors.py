"""Errors of the world itself, as errors of the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


class LocalError(click.ClickException):
    """A problem of this machine (exit code of the suite's LocalError)."""

    exit_code = 11


INTERRUPTED = 130
"""The exit code after Ctrl-C (128 + SIGINT)."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends a rehearsal as if it had not begun: there is nothing to go on with."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        click.echo("interrupted: its worlds are gone, and there is no report", err=True)
        raise SystemExit(INTERRUPTED) from interrupt


@contextmanager
def explained() -> Iterator[None]:
    """Turn WorldFailed into one message and exit code 11."""
    from rehearsal.world.handle import WorldFailed

    try:
        yield
    except WorldFailed as error:
        raise LocalError(str(error)) from error
