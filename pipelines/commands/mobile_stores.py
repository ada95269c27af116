"""What the commands of the apps share: reaching the stores from a terminal, and telling what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pipelines.mobile.promoted import Outcome
    from pipelines.mobile.promotion import Promotions

F = TypeVar("F", bound=Callable[..., Any])


def platform_option(command: F) -> F:
    """--platform."""
    message = "Only this one; without it all that the app is on."
    return click.option("--platform", type=click.Choice(["android", "ios"]), default=None, help=message)(command)


def json_option(command: F) -> F:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="For machines.")(command)


def promotions() -> Promotions:
    """Of the apps of this repository, with the access of this terminal. Raises InputError where there are none."""
    from pipelines.http import Http
    from pipelines.manifest import load
    from pipelines.mobile import clients

    return clients.promotions(load(), clients.of_terminal(Http()))


def print_outcomes(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Say how it ended on each platform, and end as the worst of them did."""
    from pipelines.mobile import promoted

    if as_json:
        click.echo(json.dumps(promoted.as_data(outcomes), indent=2))
    else:
        for line in promoted.lines(outcomes):
            click.echo(line)
    problem = promoted.problem_of(outcomes)
    if problem is not None:
        raise problem
