"""`shipmate release notes`: the notes of a release."""

from __future__ import annotations

import click

from pipelines.errors import InputError, ReleaseError
from release import console
from release.options import workplace_options
from release.sections import Section
from release.workplace import Workplace


@click.command("notes", short_help="The notes of a release.")
@click.argument("version", required=False)
@click.option("--channel", default=None, metavar="NAME", help="What comes next is a pre-release on this channel.")
@click.option("--deploys", multiple=True, metavar="NAME=WHAT", help="What it deploys: backend=sha256:…, web=https://…")
@click.option("--highlight", "highlights", multiple=True, metavar="TEXT", help="A line for the top.")
@click.option("--offline", is_flag=True, help="Ask GitHub nothing.")
@workplace_options
def command(
    workplace: Workplace,
    version: str | None,
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
    from release.writing import Given, write_notes

    with console.busy("reading the history") as sign:
        workplace.seen = sign.seen
        section = section_for(workplace, version, channel)
        sign.what = "writing the notes"
        text = write_notes(workplace, section, Given(deploys=pairs(deploys), highlights=highlights), online=not offline)
    click.echo(text, nl=False)


def section_for(workplace: Workplace, version: str | None, channel: str | None = None) -> Section:
    """The section of a version that is tagged, of one that is to come, or of the next one.

    Raises ReleaseError when nothing was named and nothing is to be released.
    """
    from release.commands.next import decision_of
    from release.sections import section_next, section_of

    repository = workplace.repository
    named = repository.format.read(version) if version else None
    tagged = next((each for each in repository.released if named is not None and each.version == named), None)
    if tagged is not None:
        return section_of(repository, tagged)
    if named is not None:
        return section_next(repository, named)
    decision = decision_of(workplace, channel)
    if decision.version is None:
        here = [each for each in repository.released if each.commit == repository.commit]
        if here:
            return section_of(repository, max(here, key=lambda each: each.rank))
        raise ReleaseError(
            f"nothing to release: {decision.why}",
            next_step="shipmate release next --explain says why each commit does not count",
        )
    return section_next(repository, decision.version)


def pairs(given: tuple[str, ...]) -> dict[str, str]:
    """NAME=WHAT options as a mapping. Raises InputError."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, what = text.partition("=")
        if not sign or not name or not what:
            raise InputError(f"{text!r} is not NAME=WHAT", next_step="write it like backend=sha256:5148…")
        found[name] = what
    return found
