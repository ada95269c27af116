"""`shipmate release publish`: publish the release on GitHub; finishes what was started."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release.commands import console
from release.commands.options import context_options, pairs
from release.context import ReleaseContext

if TYPE_CHECKING:
    from release.publishing.contents import PublishRequest

_CONTENTS = (
    click.argument("version", required=False),
    click.option("--channel", default=None, metavar="NAME", help="What comes next is a pre-release on this channel."),
    click.option("--assets", "prepared", type=click.Path(path_type=Path), help="A folder that `release assets` wrote."),
    click.option("--asset", "files", multiple=True, type=click.Path(path_type=Path), help="A file to ship."),
    click.option(
        "--evidence", multiple=True, type=click.Path(path_type=Path), help="A file that shows how it was tested."
    ),
    click.option(
        "--deploys", multiple=True, metavar="NAME=WHAT", help="Image or web build it deploys, like backend=sha256:…"
    ),
    click.option("--highlight", "highlights", multiple=True, metavar="TEXT", help="A line for the top of the notes."),
    click.option(
        "--again",
        is_flag=True,
        help="VERSION was out, and its GitHub release was deleted: make it again, although something newer may be out.",
    ),
    click.option(
        "--then-dispatch", multiple=True, metavar="WORKFLOW", help="A workflow to dispatch on the tag afterwards."
    ),
)


def contents_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a release consists of: for publish and for plan."""
    for option in reversed(_CONTENTS):
        command = option(command)
    return command


@click.command("publish", short_help="Publish the release on GitHub; finishes what was started.")
@click.option("--take-over", is_flag=True, help="Take the lock of a run that is known to be gone.")
@click.option("--yes", is_flag=True, help="Do not ask. Only a terminal is asked.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@contents_options
@context_options
def command(context: ReleaseContext, as_json: bool, take_over: bool, yes: bool, **contents: Any) -> None:
    """Publish VERSION, or what comes next: tag, draft, files, and only then the release.

    It reads what GitHub has and does what is missing: run it again after anything that went wrong. Of two at once, one publishes.
    Needs GITHUB_TOKEN with contents: write (and actions: write for --then-dispatch).

    \b
    Examples:
      shipmate release publish
      shipmate release publish v1.2.0 --deploys backend=sha256:5148… --evidence rehearsal-report/index.html
      shipmate release publish --channel rc --then-dispatch announce.yml
    """
    from release.publishing.publish import publish

    if not yes and sys.stdin.isatty():
        _confirm(context, contents["channel"])
    steps: list[str] = []

    def say(text: str) -> None:
        steps.append(text)
        console.aside(f"• {text}")

    with console.busy("publishing"):
        outcome = publish(context, request_of(context, contents, take_over=take_over), say=say)
    entry = outcome.published.entry
    console.warn(outcome.warnings)
    if as_json:
        console.as_json(
            {
                "tag": outcome.tag,
                "commit": outcome.commit,
                "url": entry.url,
                "changed": outcome.changed,
                "steps": list(outcome.published.done),
                "dispatched": list(outcome.dispatched),
                "warnings": [*outcome.preparation_warnings, *outcome.warnings],
            }
        )
        return
    if not outcome.changed:
        console.aside(f"{outcome.tag} is out already, with all its files: nothing was changed")
    click.echo(entry.url)


def _confirm(context: ReleaseContext, channel: str | None) -> None:
    """Ask at a terminal. Raises click.Abort."""
    from release.changelog.selection import section_for

    section = section_for(context, channel)
    since = f" after {section.previous.tag}" if section.previous else ", the first release"
    where = f" to {context.web.repository}" if context.web.repository else ""
    click.confirm(f"Publish {section.tag}{since}, from {section.commit[:9]}{where}?", abort=True, err=True)


def request_of(context: ReleaseContext, contents: dict[str, Any], *, take_over: bool = False) -> PublishRequest:
    """The options as a request. Raises InputError."""
    from release.changelog.writing import Given
    from release.publishing.contents import PublishRequest

    return PublishRequest(
        channel=contents["channel"],
        given=Given(deploys=pairs(contents["deploys"]), highlights=contents["highlights"]),
        prepared=contents["prepared"],
        files=contents["files"],
        evidence=contents["evidence"],
        then_dispatch=contents["then_dispatch"],
        take_over=take_over,
        again=_again(context, again=contents["again"]),
        by_hand=True,
    )


def _again(context: ReleaseContext, *, again: bool) -> bool:
    """Raises InputError without a version: what comes next was never out."""
    from pipelines.errors import InputError

    if again and not context.version:
        raise InputError("no version is named", where="--again", next_step="name the one that was out before")
    return again
