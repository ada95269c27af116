"""`shipmate ci`: what CI runs for a change, here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipelines.ci.affected import Affected, Changes
    from pipelines.ci.check import Result
    from pipelines.manifest import Manifest

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
BASE = click.option(
    "--base", metavar="COMMIT", help="Where the change begins: a branch, tag or commit (default: main)."
)


@click.group("ci", short_help="What CI runs for a change, here.")
def command() -> None:
    """What CI runs for a change, here: the same plan, the same commands, before anything is pushed."""


@command.command("plan")
@BASE
@AS_JSON
def plan(base: str | None, as_json: bool) -> None:
    """Which checks the change in this checkout needs, and why.

    Example: shipmate ci plan --base main
    """
    from pipelines.ci.matrix import plan as plan_checks

    manifest, changes, affected = _looked(base)
    planned = plan_checks(manifest, affected)
    if as_json:
        checks = {one.check: "run" if one.runs else "skip" for one in planned}
        reasons = {one.check: one.why for one in planned}
        click.echo(json.dumps({"checks": checks, "reasons": reasons, "since": changes.since}, indent=2))
        return
    click.echo(_compared(changes))
    width = max(len(one.check) for one in planned)
    for one in planned:
        sign = click.style("run ", fg="green") if one.runs else click.style("skip", dim=True)
        click.echo(f"  {sign}  {one.check:<{width}}  {one.why}")


@command.command("run")
@click.argument("checks", nargs=-1, metavar="[CHECK]...")
@BASE
@AS_JSON
def run(checks: tuple[str, ...], base: str | None, as_json: bool) -> None:
    """Run checks by name; without a name, those the change in this checkout needs. All are run; exit code 7 when one failed.

    Example: shipmate ci run backend-tests
    """
    from pipelines.ci import check
    from pipelines.ci.matrix import plan as plan_checks
    from pipelines.manifest import load
    from pipelines.runtime import Runtime

    manifest = load()
    for name in checks:
        check.find(manifest, name)
    names = checks
    if not names:
        manifest, changes, affected = _looked(base)
        names = tuple(one.check for one in plan_checks(manifest, affected) if one.runs)
        click.echo(f"{_compared(changes)} {', '.join(names) or 'Nothing to check.'}", err=as_json)
    runtime = Runtime(stream=sys.stderr) if as_json else Runtime()
    results = [check.run(manifest, name, runtime, root=manifest.file.parent) for name in names]
    if as_json:
        click.echo(json.dumps({"checks": [result.as_json() for result in results]}, indent=2))
    else:
        for result in results:
            _print(result)
    failed = [result.check for result in results if not result.passed]
    if failed:
        from pipelines.errors import CheckFailed

        raise CheckFailed(
            f"{len(failed)} of {len(results)} checks failed: {', '.join(failed)}",
            next_step=f"fix what is named above, then `shipmate ci run {' '.join(failed)}`",
        )


@command.command("explain")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@AS_JSON
def explain(paths: tuple[str, ...], as_json: bool) -> None:
    """What a change of these files would affect, and which checks it would need.

    Example: shipmate ci explain apps/web/src/App.tsx
    """
    from pipelines.ci.affected import Changes, affected
    from pipelines.ci.matrix import plan as plan_checks
    from pipelines.manifest import load

    manifest = load()
    found = affected(manifest, Changes(paths=paths))
    planned = plan_checks(manifest, found)
    if as_json:
        told = {
            "ignored": list(found.ignored),
            "components": dict(found.reasons),
            "checks": {one.check: "run" if one.runs else "skip" for one in planned},
            "reasons": {one.check: one.why for one in planned},
        }
        click.echo(json.dumps(told, indent=2))
        return
    for path in found.ignored:
        click.echo(f"{path} affects nothing (ci/ignore)")
    for name, why in found.reasons.items():
        click.echo(f"component {name:<12} {why}")
    for one in planned:
        click.echo(f"{'run ' if one.runs else 'skip'}      {one.check:<16} {one.why}")


def _looked(base: str | None) -> tuple[Manifest, Changes, Affected]:
    """What changed in this checkout and what it affects. Raises ManifestError, InputError."""
    from pipelines.ci import changes
    from pipelines.ci.affected import affected
    from pipelines.manifest import find, load

    file = find(Path.cwd())
    found = changes.of_checkout(file.parent, base or changes.usual_base(file.parent))
    manifest = load(file)
    return manifest, found, affected(manifest, found)


def _compared(changes: Changes) -> str:
    return changes.unknown or f"{len(changes.paths or ())} files differ from {changes.since}."


def _print(result: Result) -> None:
    from pipelines.ci.tables import duration

    sign = click.style("passed", fg="green") if result.passed else click.style("failed", fg="red", bold=True)
    tests = f", {result.tests.ran} tests" if result.tests else ""
    click.echo(f"{sign}  {result.check} ({duration(result.seconds)}{tests}){f': {result.why}' if result.why else ''}")
    for finding in result.findings[:20]:
        place = f"{finding.file}:{finding.line}: " if finding.file else ""
        click.echo(
            f"        {place}{finding.title} {finding.message.strip().splitlines()[0] if finding.message.strip() else ''}"
        )
