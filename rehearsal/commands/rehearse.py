"""`shipmate rehearse`: run stories in a world, show their progress, write the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rehearsal.report.model import Report
    from rehearsal.stories.table import Story

FAILED = 7
"""The exit code when a story fails."""


@click.command("rehearse", short_help="Rehearse a delivery and write the report.")
@click.option("--story", "names", multiple=True, help="Run this story alone (may be repeated).")
@click.option("--all", "everything", is_flag=True, help="Run the long stories too.")
@click.option("--fresh", is_flag=True, help="Run the quick start again, even if its world is kept for this very tree.")
@click.option(
    "--real-time",
    is_flag=True,
    help="Wait as long as a real delivery does, instead of a twentieth of it: the same code by another clock.",
)
@click.option("--list", "listing", is_flag=True, help="List the stories and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, and the progress on standard error.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("rehearsal-report"),
    show_default=True,
    help="Folder for the report.",
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="The checkout to deliver; that of the current folder by default.",
)
def command(
    names: tuple[str, ...],
    everything: bool,
    fresh: bool,
    real_time: bool,
    listing: bool,
    as_json: bool,
    output: Path,
    repository: Path | None,
) -> None:
    """Deliver a change from pull request to production on this machine, roll it back, and write the report. Exit 7 when a story fails.

    Example: shipmate rehearse --story quick-start
    """
    if listing:
        _list(as_json)
        return
    stories = _select(names, everything)
    from rehearsal.commands.checkout import find
    from rehearsal.commands.errors import explained, interruptible
    from rehearsal.execution.rehearsal import rehearse
    from rehearsal.stories import table
    from rehearsal.world.handle import TIME_SCALE

    folder = find(repository)
    _check_platform(folder)
    with explained(), interruptible():
        report, page = rehearse(
            folder,
            stories,
            output,
            live_on_stderr=as_json,
            use_kept_world=not fresh and table.start_is_implied(names, everything),
            time_scale=1.0 if real_time else TIME_SCALE,
        )
    _print_outcome(report, page, as_json=as_json)
    if not report.passed:
        raise SystemExit(FAILED)


def _select(names: tuple[str, ...], everything: bool) -> list[Story]:
    from rehearsal.stories import table

    try:
        return table.select(names, everything)
    except KeyError as error:
        raise click.BadParameter(
            f"there is no story {error}; see `shipmate rehearse --list`", param_hint="--story"
        ) from error


def _check_platform(folder: Path) -> None:
    """The stories need the platform that they edit. Raises CommandError."""
    from rehearsal.commands.errors import CommandError
    from rehearsal.stories import table

    lacks = [name for name in table.EDITED if not (folder / name).is_dir()]
    if lacks:
        raise CommandError(
            f"{folder} has no {lacks[0]}: the stories change the apps that this suite comes with",
            "`shipmate up` starts a world with any platform, to deliver it manually (docs/ADOPTING.md)",
        )


def _print_outcome(report: Report, page: Path, *, as_json: bool) -> None:
    seconds = report.ended - report.started
    if not as_json:
        click.echo(f"\n{'passed' if report.passed else 'FAILED'} in {seconds:.0f} s; the report: {page}")
        return
    stories = [{"name": s.name, "passed": s.passed, "seconds": s.seconds} for s in report.stories]
    outcome = {"passed": report.passed, "seconds": seconds, "report": str(page), "stories": stories}
    click.echo(json.dumps(outcome, indent=2))


def _list(as_json: bool) -> None:
    from rehearsal.stories.table import STORIES

    if as_json:
        rows = [{"name": s.name, "title": s.title, "default": s.default} for s in STORIES.values()]
        click.echo(json.dumps(rows, indent=2))
        return
    for story in STORIES.values():
        click.echo(f"  {story.name:18} {story.title}{'' if story.default else '  (with --all)'}")
