"""`shipmate plan`: what a deployment would do."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict

import click


@click.command("plan", short_help="What a deployment would do, and what changed since what is live.")
@click.option("--environment", "-e", required=True, help="Which environment.")
@click.option("--version", "version", required=True, help="The tag to release, like v1.2.0.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, version: str, as_json: bool) -> None:
    """Exactly what would happen, and what has changed since what is live: commits, pull requests, migrations.

    Example: shipmate plan --environment production --version v1.2.0
    """
    from pipelines.commands import terminal
    from pipelines.delivery import planning
    from pipelines.manifest import load

    with terminal.busy("asking GitHub"):
        planned = planning.plan(terminal.delivery(load(), environment), version)
    if as_json:
        steps = [asdict(step) for step in planned.steps]
        changes = planned.resolved.changes
        migrations = [
            {"component": one.component, "file": one.file, "kind": one.kind, "runs": one.runs, "means": one.going_back}
            for one in planned.migrations.pending
        ]
        facts = {
            "environment": environment,
            "release": version,
            "commit": planned.resolved.candidate.commit,
            "plan": planned.digest,
            "live": planned.resolved.live.release if planned.resolved.live else None,
            "released_already": planned.resolved.released_already,
            "artifacts": dict(planned.resolved.candidate.artifacts),
            "steps": steps,
            "changes": [asdict(change) for change in changes.listed],
            "more_changes": changes.more,
            "lacks": changes.lacks,
            "migrations": migrations,
        }
        click.echo(jsonlib.dumps(facts, indent=2))
        return
    click.echo(planning.as_text(planned, environment))
