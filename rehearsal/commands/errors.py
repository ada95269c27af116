"""Errors of the world itself, as errors of the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


class CommandError(click.ClickException):
    """A refusal with what to do next (title and exit code of the suite's InputError)."""

    title = "Bad input"
    exit_code = 4

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step

    def format_message(self) -> str:
        return f"{self.message}\n  next: {self.next_step}" if self.next_step else self.message


class LocalError(CommandError):
    """A problem of this machine (title and exit code of the suite's LocalError)."""

    title = "Local error"
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
        what, _, following = str(error).partition("\n  next: ")
        raise LocalError(what, following) from error
