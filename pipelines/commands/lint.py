"""`shipmate lint`: every static check of this repository."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipelines.lint.suite import Outcome
    from pipelines.lint.tools import Tool


@click.command("lint", short_help="Every static check of this repository.")
@click.argument("names", nargs=-1, metavar="[TOOL]...")
@click.option("--without", multiple=True, metavar="TOOL", help="Leave this one out; may be given several times.")
@click.option("--fix", is_flag=True, help="Fix what can be fixed.")
@click.option("--list", "listed", is_flag=True, help="Say which tools there are.")
@click.option("--json", "as_json", is_flag=True, help="For programs; what happens goes to standard error.")
def command(names: tuple[str, ...], without: tuple[str, ...], fix: bool, listed: bool, as_json: bool) -> None:
    """Every static check of this repository, beside each other; all failures at the end, and exit code 7.

    Example: shipmate lint ruff mypy
    """
    from pipelines.errors import CheckFailed
    from pipelines.lint.suite import run_all
    from pipelines.lint.tools import checkout, tools

    root = checkout(Path.cwd())
    chosen = _chosen(tools(root), names, without)
    if listed and as_json:
        _print_json([{"tool": tool.name, "what": tool.what} for tool in chosen])
        return
    if listed:
        for tool in chosen:
            click.echo(f"{tool.name:<16} {tool.what}")
        return
    outcomes = run_all(chosen, root, report=partial(_print, err=as_json), fix=fix)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if as_json:
        _print_json([_as_json(outcome) for outcome in outcomes])
    for outcome in failed if not as_json else ():
        click.echo(f"\n{click.style(outcome.tool.name, bold=True)}: {outcome.tool.what}\n{outcome.text}")
    if failed:
        raise CheckFailed(
            f"{len(failed)} of {len(outcomes)} tools found something: {', '.join(o.tool.name for o in failed)}",
            next_step="`shipmate lint --fix` fixes what can be fixed; `shipmate lint NAME` runs one again",
        )


def _chosen(known: tuple[Tool, ...], names: tuple[str, ...], without: tuple[str, ...]) -> tuple[Tool, ...]:
    by_name = {tool.name: tool for tool in known}
    for name in (*names, *without):
        if name not in by_name:
            raise click.UsageError(f"there is no tool {name!r}; there are {', '.join(by_name)}")
    asked = tuple(by_name[name] for name in names) or known
    return tuple(tool for tool in asked if tool.name not in without)


def _print_json(tools: list[dict[str, Any]]) -> None:
    click.echo(json.dumps({"tools": tools}, indent=2))


def _as_json(outcome: Outcome) -> dict[str, Any]:
    """`text` is what the tool printed; null for nothing."""
    return {
        "tool": outcome.tool.name,
        "passed": outcome.passed,
        "seconds": round(outcome.seconds, 1),
        "text": outcome.text or None,
    }


def _print(outcome: Outcome, *, err: bool = False) -> None:
    sign = click.style("ok  ", fg="green") if outcome.passed else click.style("FAIL", fg="red", bold=True)
    click.echo(f"  {sign}  {outcome.tool.name:<16} {outcome.seconds:5.1f} s", err=err)
