"""`shipmate rollback`: take an environment back."""

from __future__ import annotations

import json as jsonlib

import click


@click.command("rollback", short_help="Take an environment back to an earlier release.")
@click.option("--environment", "-e", required=True, help="Which environment.")
@click.option("--to", default=None, help="To which release; without it the one before.")
@click.option(
    "--component", "components", multiple=True, help="Only this component (may be repeated); without it all together."
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and stop.")
@click.option(
    "--accept-schema-risk",
    is_flag=True,
    help="Go back although a contract migration ran since: you know that the release still fits.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    environment: str,
    to: str | None,
    components: tuple[str, ...],
    dry_run: bool,
    accept_schema_risk: bool,
    as_json: bool,
) -> None:
    """Take an environment back to an earlier release, all components together, and verify it from outside.

    It goes by the providers' own state and needs neither GitHub nor an approval. It refuses, saying why, when there is nothing safe
    to go back to.

    Example: shipmate rollback --environment production --to v1.1.0
    """
    from pipelines.commands import terminal
    from pipelines.delivery import notifications, rollback
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    terminal.require_access(context, components)
    asked = rollback.Request(components=components, to=to, accept_schema_risk=accept_schema_risk)
    if as_json:
        import sys

        context.runtime.stream = sys.stderr
    if dry_run:
        steps = rollback.decide(context, asked)
        if as_json:
            click.echo(
                jsonlib.dumps([{"component": s.component, "does": s.says, "done": done} for s, done in steps], indent=2)
            )
            return
        for step, done in steps:
            click.echo(f"{step.component}: {step.says}" + (f" — {done}" if done else ""))
        return
    rolled = rollback.roll_back(context, asked)
    told: list[str] = []
    if rolled.changed or rolled.unannounced:
        told = notifications.notify_of_rollback(
            context, rolled.release, rolled.was if rolled.changed else rolled.unannounced, rolled.problem
        )
        rollback.people_know(context, components)
    if rolled.problem is not None:
        raise rolled.problem
    seconds = sum(each.seconds for each in rolled.done)
    if as_json:
        facts = {
            "environment": environment,
            "release": rolled.release,
            "was": rolled.was,
            "changed": rolled.changed,
            "seconds": seconds,
            "told": told,
        }
        click.echo(jsonlib.dumps(facts))
    elif rolled.changed:
        click.echo(f"{environment} is back to {rolled.release} (was {rolled.was}), in {seconds:.1f} s")
        click.echo(f"notified by {', '.join(told)}" if told else "nobody was notified: do it yourself")
    else:
        click.echo(f"{environment} serves {rolled.release} already; it answers well from outside")
