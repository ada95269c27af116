"""`shipmate release notes`: the notes of a release."""

from __future__ import annotations

from dataclasses import replace

import click

from release.changelog.selection import section_for
from release.commands import console
from release.commands.options import context_options, pairs
from release.context import ReleaseContext


@click.command("notes", short_help="The notes of a release.")
@click.argument("version", required=False)
@click.option("--channel", default=None, metavar="NAME", help="What comes next is a pre-release on this channel.")
@click.option(
    "--deploys", multiple=True, metavar="NAME=WHAT", help="Image or web build it deploys, like backend=sha256:…"
)
@click.option("--highlight", "highlights", multiple=True, metavar="TEXT", help="A line for the top.")
@click.option("--offline", is_flag=True, help="Ask GitHub nothing.")
@context_options
def command(
    context: ReleaseContext,
    channel: str | None,
    deploys: tuple[str, ...],
    highlights: tuple[str, ...],
    offline: bool,
) -> None:
    """The notes of VERSION, or of what comes next.

    With GITHUB_TOKEN, pull requests and logins are looked up; without, the notes come out all the same and say what they lack.

    \b
    Examples:
      shipmate release notes
      shipmate release notes v1.2.0
      shipmate release notes --highlight 'Search finds what you mean' --deploys backend=sha256:5148…
    """
    from release.changelog.writing import Given, write_notes

    with console.busy("reading the history") as sign:
        context = replace(context, seen=sign.seen, offline=offline)
        section = section_for(context, channel)
        sign.what = "writing the notes"
        text = write_notes(context, section, Given(deploys=pairs(deploys), highlights=highlights), online=not offline)
    console.warn([*context.repository.warnings, *context.repository.left_out])
    click.echo(text, nl=False)
