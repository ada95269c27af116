"""`shipmate rollback`: roll an environment back."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pipelines.commands import completion, options

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.delivery.rollback import Request, Result
    from pipelines.delivery.steps.base import Step


@click.command("rollback", short_help="Roll an environment back to an earlier release.")
@options.environment()
@click.option(
    "--to", shell_complete=completion.versions, default=None, help="To which release; without it the one before."
)
@click.option(
    "--component",
    "components",
    multiple=True,
    shell_complete=completion.components,
    help="Only this component (may be repeated); without it all together.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and stop.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask; asked is in a terminal alone.")
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
    yes: bool,
    accept_schema_risk: bool,
    as_json: bool,
) -> None:
    """Roll an environment back to an earlier release, all components together, and verify it from outside.

    It goes by the providers' own state and needs neither GitHub nor an approval. It refuses, saying why, when there is nothing safe
    to go back to. In a terminal it shows what it will do and asks.

    Example: shipmate rollback --environment production --to v1.1.0
    """
    from pipelines.commands import terminal
    from pipelines.delivery import rollback
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    terminal.require_access(context, components)
    asked = rollback.Request(components=components, to=to, accept_schema_risk=accept_schema_risk)
    if as_json:
        context.runtime.stream = sys.stderr
    if dry_run:
        show(rollback.preview(context, asked), as_json)
        return
    if not yes and not as_json and terminal.asks():
        show(rollback.preview(context, asked), as_json)
        click.confirm(f"Roll {environment} back?", abort=True)
    report(environment, *carry_out(context, asked), as_json)


def show(steps: Sequence[tuple[Step, str]], as_json: bool) -> None:
    """What a rollback does: each step, and why it has nothing to do where it has not."""
    if as_json:
        facts = [{"component": step.component, "does": step.says, "done": done or None} for step, done in steps]
        click.echo(jsonlib.dumps(facts, indent=2))
        return
    for step, done in steps:
        click.echo(f"{step.component}: {step.says}" + (f" — {done}" if done else ""))


def carry_out(context: Context, asked: Request) -> tuple[Result, list[str]]:
    """Roll back and notify; the ways by which people were notified. Raises what kept the rollback from its end."""
    from pipelines.delivery import notifications, rollback

    result = rollback.roll_back(context, asked)
    notified: list[str] = []
    if result.changed or result.unannounced:
        notified = notifications.notify_of_rollback(
            context, result.release, result.was if result.changed else result.unannounced, result.problem
        )
        rollback.mark_announced(context, asked.components)
    if result.problem is not None:
        raise result.problem
    return result, notified


def report(environment: str, result: Result, notified: Sequence[str], as_json: bool) -> None:
    """Print where the environment is now."""
    seconds = sum(each.seconds for each in result.done)
    if as_json:
        facts = {
            "environment": environment,
            "release": result.release,
            "was": result.was or None,
            "changed": result.changed,
            "seconds": seconds,
            "notified_by": list(notified),
        }
        click.echo(jsonlib.dumps(facts))
    elif result.changed:
        click.echo(f"{environment} is back to {result.release} (was {result.was}), in {seconds:.1f} s")
        click.echo(f"notified by {', '.join(notified)}" if notified else "nobody was notified: do it yourself")
    else:
        click.echo(f"{environment} serves {result.release} already; it answers well from outside")
