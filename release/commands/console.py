"""What the commands share at the terminal: a sign of life after two seconds, warnings, JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

WARNINGS = 20
"""So many are shown."""
FOLDER = "release.folder"
"""Where, in click's context, the folder is kept that stands before a command."""


class Busy:
    """Progress, for the person who waits: on a terminal one line that moves, in a log a line every ten seconds."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._over = threading.Event()

    def seen(self, count: int) -> None:
        self.what = f"reading the history: {count:,} commits"

    def show(self) -> None:
        started = time.monotonic()
        moving = sys.stderr.isatty()
        wait = 2.0
        while not self._over.wait(wait):
            text = f"… {self.what} ({time.monotonic() - started:.0f} s)"
            sys.stderr.write(f"\r{text}\x1b[K" if moving else f"{text}\n")
            sys.stderr.flush()
            wait = 0.5 if moving else 10.0
        if moving and time.monotonic() - started > 2:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def stop(self) -> None:
        self._over.set()


@contextmanager
def busy(what: str) -> Iterator[Busy]:
    """Tell after two seconds what is going on, until the block ends."""
    sign = Busy(what)
    thread = threading.Thread(target=sign.show, daemon=True)
    thread.start()
    try:
        yield sign
    finally:
        sign.stop()
        thread.join()


def warn(warnings: Sequence[str]) -> None:
    """Warnings, so many as can be read; the others are counted."""
    for warning in warnings[:WARNINGS]:
        click.echo(f"{click.style('warning', fg='yellow')}: {warning}", err=True)
    if len(warnings) > WARNINGS:
        click.echo(
            f"{click.style('warning', fg='yellow')}: and {len(warnings) - WARNINGS} more (--json lists all)", err=True
        )


def aside(text: str) -> None:
    """Something a person should read, kept out of what a script reads."""
    click.echo(text, err=True)


def as_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
