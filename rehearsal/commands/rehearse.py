"""`shipmate rehearse`: tell stories in a world, watch them live, write the report."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path

import click


@click.command("rehearse", short_help="Rehearse a delivery and write the report.")
@click.option("--story", "names", multiple=True, help="Only this story (may be repeated).")
@click.option("--all", "everything", is_flag=True, help="The long stories too.")
@click.option(
    "--fresh", is_flag=True, help="Tell the quick start again, also where a world it left is kept for this very tree."
)
@click.option(
    "--real-time",
    is_flag=True,
    help="Wait as long as a real delivery does, instead of a twentieth of it: the same code by another clock.",
)
@click.option("--list", "listing", is_flag=True, help="List the stories and stop.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the outcome as JSON; the live view goes to standard error."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("rehearsal-report"),
    show_default=True,
    help="Where the report goes.",
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="The checkout to deliver.",
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
    """Deliver a change from pull request to production on this machine, and back; then write the report. Exit 7 when a story fails.

    Example: shipmate rehearse --story quick-start
    """
    from rehearsal.stories import table

    if listing:
        _list(as_json)
        return
    try:
        stories = table.chosen(names, everything)
    except KeyError as error:
        raise click.BadParameter(
            f"there is no story {error}; see `shipmate rehearse --list`", param_hint="--story"
        ) from error
    from rehearsal.commands.errors import explained
    from rehearsal.commands.up import checkout
    from rehearsal.execution.rehearsal import rehearse
    from rehearsal.world.handle import TIME_SCALE

    folder = checkout(repository)
    lacks = [name for name in table.EDITED if not (folder / name).is_dir()]
    if lacks:
        raise click.ClickException(
            f"{folder} has no {lacks[0]}: the stories change the apps that this suite comes with\n"
            "  next: `shipmate up` starts a world with any platform, to deliver it by hand (docs/ADOPTING.md)"
        )
    with explained():
        report, page = rehearse(
            folder,
            stories,
            output,
            live_on_stderr=as_json,
            begin_released=not fresh and table.only_implied(names, everything),
            time_scale=1.0 if real_time else TIME_SCALE,
        )
    if as_json:
        facts = {"passed": report.passed, "seconds": report.ended - report.started, "report": str(page)}
        click.echo(
            jsonlib.dumps(
                {
                    **facts,
                    "stories": [{"name": s.name, "passed": s.passed, "seconds": s.seconds} for s in report.stories],
                },
                indent=2,
            )
        )
    else:
        click.echo(
            f"\n{'passed' if report.passed else 'FAILED'} in {report.ended - report.started:.0f} s; the report: {page}"
        )
    if not report.passed:
        raise SystemExit(7)


def _list(as_json: bool) -> None:
    from rehearsal.stories.table import STORIES

    if as_json:
        click.echo(
            jsonlib.dumps([{"name": s.name, "title": s.title, "usual": s.usual} for s in STORIES.values()], indent=2)
        )
        return
    for story in STORIES.values():
        click.echo(f"  {story.name:18} {story.title}{'' if story.usual else '  (with --all)'}")
