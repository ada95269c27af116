"""`shipmate release assets`: SBOMs, checksums and notes, as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from release.changelog.selection import section_for
from release.commands import console
from release.commands.options import context_options, pairs
from release.context import ReleaseContext


@click.command("assets", short_help="SBOMs, checksums and notes, as files.")
@click.argument("version", required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("dist/release"), show_default=True, help="The folder."
)
@click.option("--channel", default=None, metavar="NAME", help="What comes next is a pre-release on this channel.")
@click.option("--asset", "files", multiple=True, type=click.Path(path_type=Path), help="A file to ship.")
@click.option("--evidence", multiple=True, type=click.Path(path_type=Path), help="A file that shows how it was tested.")
@click.option(
    "--deploys", multiple=True, metavar="NAME=WHAT", help="Image or web build it deploys, like backend=sha256:…"
)
@click.option("--highlight", "highlights", multiple=True, metavar="TEXT", help="A line for the top of the notes.")
@click.option("--offline", is_flag=True, help="Ask GitHub nothing.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@context_options
def command(
    context: ReleaseContext,
    out: Path,
    channel: str | None,
    files: tuple[Path, ...],
    evidence: tuple[Path, ...],
    deploys: tuple[str, ...],
    highlights: tuple[str, ...],
    offline: bool,
    as_json: bool,
) -> None:
    """Write the files of VERSION (or of what comes next) into a folder, for attesting them before they are published.

    \b
    Examples:
      shipmate release assets v1.2.0 --out dist/release
      shipmate release publish v1.2.0 --assets dist/release
    """
    from release.changelog.writing import Given
    from release.publishing.assets import prepare

    with console.busy("preparing the files") as sign:
        context = replace(context, offline=offline)
        section = section_for(context, channel)
        sign.what = "preparing the files"
        given = Given(deploys=pairs(deploys), highlights=highlights)
        prepare(context, section, out, given, files=files, evidence=evidence, online=not offline)
    console.warn([*context.repository.warnings, *context.repository.left_out])
    for path in sorted(out.iterdir()):
        click.echo(str(path))
