"""`shipmate plan`: what a deployment would do."""

from __future__ import annotations

import json as jsonlib
import sys

import click

from pipelines.commands import completion, options


@click.command("plan", short_help="What a deployment would do, and what changed since what is live.")
@options.environment()
@click.option(
    "--version", "version", shell_complete=completion.versions, required=True, help="The tag to release, like v1.2.0."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, version: str, as_json: bool) -> None:
    """Exactly what would happen, and what has changed since what is live: commits, pull requests, migrations.

    Example: shipmate plan --environment production --version v1.2.0
    """
    from pipelines.commands import terminal
    from pipelines.delivery import plan_text, planning
    from pipelines.manifest import load

    manifest = load()
    context = terminal.context(manifest, environment)
    terminal.require_access(context, github=True)
    context.runtime.stream = sys.stderr
    with terminal.busy("asking GitHub and the providers"):
        found = planning.plan_release(context, version)
    if as_json:
        click.echo(jsonlib.dumps(plan_text.as_data(found), indent=2))
    else:
        click.echo(terminal.marked(plan_text.as_text(found)))
