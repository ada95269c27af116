"""Failures of the world itself, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a world can fail with into one clear message and exit code 11."""
    from rehearsal.world.handle import WorldFailed

    try:
        yield
    except WorldFailed as error:
        failure = click.ClickException(str(error))
        failure.exit_code = 11
        raise failure from error
