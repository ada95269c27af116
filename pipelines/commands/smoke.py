"""`shipmate smoke`: check an environment from outside."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path

import click

from pipelines.commands import options


@click.command("smoke", short_help="Check an environment from outside.")
@options.environment()
@click.option(
    "--release", default=None, help="Which release must answer; without it the one the providers say is live."
)
@click.option("--junit", type=click.Path(path_type=Path), default=None, help="Write a JUnit file.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, release: str | None, junit: Path | None, as_json: bool) -> None:
    """Every smoke check of the manifest, at the same time, against the public addresses. Exit 7 when one fails.

    Example: shipmate smoke --environment production
    """
    from pipelines.commands import terminal
    from pipelines.delivery.steps.smoke import observe_environment, require_passed
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    terminal.require_access(context)
    with terminal.busy(f"checking {environment}"):
        report = observe_environment(context, release)
    if junit is not None:
        junit.write_text(report.as_junit())
    click.echo(jsonlib.dumps(report.as_json(), indent=2) if as_json else report.as_text())
    require_passed(report, environment, environment)
