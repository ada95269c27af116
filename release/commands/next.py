"""`shipmate release next`: the next version, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from release.commands import console
from release.commands.options import context_options
from release.context import ReleaseContext
from release.versions.decision import Decision
from release.versions.rules import Rules
from release.versions.wording import why_decision, why_verdict


@click.command("next", short_help="The next version, and why.")
@click.option(
    "--channel", default=None, metavar="NAME", help="A pre-release on this channel, like rc; '' for a final one."
)
@click.option("--explain", is_flag=True, help="Every commit with why it counts or not.")
@click.option("--json", "as_json", is_flag=True, help="For machines; with every commit.")
@context_options
def command(context: ReleaseContext, channel: str | None, explain: bool, as_json: bool) -> None:
    """The next version by the commits since the last release: on standard output and nothing else there.

    When nothing is to be released, standard output stays empty and standard error says why; the exit code is 0.

    \b
    Examples:
      shipmate release next
      shipmate release next --explain
      shipmate release next --channel rc
      shipmate release next --tag-format '{version}' -C ../other --json
    """
    with console.busy("reading the history") as sign:
        context = replace(context, seen=sign.seen)
        decision = context.repository.decide(channel)
    if as_json:
        console.as_json(to_json(decision, context.repository.rules))
        return
    if explain:
        click.echo(explained(decision, context.repository.rules))
        return
    console.warn(decision.warnings)
    if decision.version is None:
        console.aside(f"nothing to release: {why_decision(decision)} (--explain lists them)")
        return
    click.echo(str(decision.version))


def to_json(decision: Decision, rules: Rules) -> dict[str, Any]:
    """The documented form (docs/RELEASES.md)."""
    return {
        "component": decision.component,
        "version": str(decision.version) if decision.version is not None else None,
        "tag": decision.tag or None,
        "current": decision.current.tag if decision.current else None,
        "bump": decision.bump,
        "why": why_decision(decision),
        "channel": decision.channel or None,
        "line": decision.line.name if decision.line else None,
        "latest": decision.latest,
        "commit": decision.commit,
        "branch": decision.branch,
        "warnings": list(decision.warnings),
        "commits": [
            {
                "id": verdict.commit.hash,
                "subject": verdict.commit.message.subject,
                "author": verdict.commit.author,
                "bump": verdict.bump,
                "why": why_verdict(verdict, rules),
                "shown": any(entry.group for entry in verdict.entries),
            }
            for verdict in decision.verdicts
        ],
    }


def explained(decision: Decision, rules: Rules) -> str:
    """One line a commit: what it raises, which one it is, why."""
    colours = {"major": "red", "minor": "green", "patch": "cyan"}
    lines: list[str] = []
    for verdict in decision.verdicts:
        bump = verdict.bump if verdict.bump != "none" else "-"
        mark = click.style(bump.ljust(5), fg=colours.get(bump), dim=bump == "-")
        subject = _plain(verdict.commit.message.subject) or "(no message)"
        lines.append(
            f"{mark}  {verdict.commit.short}  {subject}\n       {click.style(_plain(why_verdict(verdict, rules)), dim=True)}"
        )
    lines += [f"{click.style('warning', fg='yellow')}: {_plain(warning)}" for warning in decision.warnings]
    now = decision.current.tag if decision.current else "no release yet"
    coming = click.style(str(decision.version), bold=True) if decision.version is not None else "nothing to release"
    return "\n".join([*lines, f"{now} -> {coming}: {_plain(why_decision(decision))}"])


def _plain(text: str) -> str:
    """Text from outside cannot move the cursor, colour the terminal or speak to a workflow's log."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return f"\u200b{shown}" if shown.lstrip().startswith(("::", "##[")) else shown
