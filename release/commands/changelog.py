"""`shipmate release changelog`: CHANGELOG.md, for those who use it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import click

from pipelines.errors import InputError, LocalError, ReleaseError
from release.changelog.halves import in_halves
from release.changelog.rendering import PREAMBLE, Written, write
from release.changelog.sections import Cut, cut_history, judged
from release.changelog.templating import load
from release.commands import console
from release.commands.options import workplace_options
from release.context import Workplace
from release.versions.decision import Decision, Facts, decide
from release.versions.tags import channel_of_branch, check_channel


@click.command("changelog", short_help="CHANGELOG.md, for those who use it.")
@click.option("--write", "to_file", is_flag=True, help="Into the file; what people edited in it stays.")
@click.option("--check", is_flag=True, help="Exit with 12 when --write would change the file.")
@click.option("--rewrite", is_flag=True, help="With --write: generate again what nobody edited (a template changed).")
@click.option("--released", is_flag=True, help="Only what is released, not what comes next.")
@click.option("--channel", default=None, metavar="NAME", help="What comes next is a pre-release on this channel.")
@click.option("--prereleases", is_flag=True, help="Keep a section for every pre-release.")
@workplace_options
def command(
    workplace: Workplace,
    to_file: bool,
    check: bool,
    rewrite: bool,
    released: bool,
    channel: str | None,
    prereleases: bool,
) -> None:
    """The changelog, breaking changes first: on standard output, or into the file with --write.

    In a file, every section that is there is kept as it is, whoever wrote it; missing releases are added. Made from git alone: the same
    history gives the same bytes.

    \b
    Examples:
      shipmate release changelog | less
      shipmate release changelog --write
      shipmate release changelog -C ../other --tag-format '{version}' --released
    """
    with console.busy("reading the history") as sign:
        workplace.seen = sign.seen
        if to_file or check:
            _ = workplace.top  # a bare repository has no file to write
        chosen = channel if channel is not None else channel_of_branch(workplace.repository.branch, workplace.rules)
        cuts = _cuts(workplace, chosen, released=released, prereleases=prereleases)
        sign.what = "writing the changelog"
        fill = load("changelog.md.j2", workplace.own_template("changelog"))
        if to_file or check:
            over = not (released or chosen or any(cut.pending for cut in cuts))
            _merge(workplace, list(_write(workplace, cuts, fill)), rewrite=rewrite, over=over, only_check=check)
            return
        sys.stdout.write(PREAMBLE)
        for text in in_halves(cuts, lambda some: _texts(_write(workplace, some, fill))):
            sys.stdout.write(text)


def _cuts(workplace: Workplace, channel: str, *, released: bool, prereleases: bool) -> list[Cut]:
    repository = workplace.repository
    if channel:
        check_channel(channel, workplace.rules)

    def prepare(facts: Facts) -> Decision | None:
        return None if released else decide(facts, workplace.rules, repository.component, channel=channel)

    return cut_history(repository, prepare, prereleases=prereleases)


def _write(workplace: Workplace, cuts: Sequence[Cut], fill: Callable[[dict[str, Any]], str]) -> Iterator[Written]:
    repository = workplace.repository
    found = (judged(repository, cut) for cut in cuts)
    return write(found, fill, workplace.printer(), repository.rules.groups)


def _texts(written: Iterator[Written]) -> Iterator[str]:
    """In pieces: a long history need not be held as text, nor written line by line."""
    while piece := list(islice(written, 500)):
        yield "".join(f"\n{each.text}" for each in piece)


def _merge(workplace: Workplace, written: list[Written], *, rewrite: bool, over: bool, only_check: bool) -> None:
    from release.changelog.file import merge, replace

    repository = workplace.repository
    file = workplace.top / repository.component.changelog
    try:
        before = file.read_bytes().decode() if file.exists() else ""
        existing = before.replace("\r\n", "\n")
        tags = {each.tag for each in repository.released}
        new = merge(existing, written, tags, rewrite=rewrite, over=over, warn=lambda warning: console.warn([warning]))
        if new == existing:
            console.aside(f"{repository.component.changelog} has everything already")
            return
        if only_check:
            raise ReleaseError(
                f"{repository.component.changelog} is not what these commits make it",
                next_step="shipmate release changelog --write, and commit it",
            )
        replace(file, (new.replace("\n", "\r\n") if "\r\n" in before else new).encode())
    except UnicodeDecodeError as error:
        raise InputError(
            f"cannot be read as UTF-8: {error.reason} at byte {error.start}",
            where=str(file),
            next_step="save it as UTF-8, then run this again: iconv -f LATIN1 -t UTF-8",
        ) from error
    except OSError as error:
        raise LocalError(f"{file} cannot be written: {error.strerror}", next_step="see the folder's rights") from error
    console.aside(f"{repository.component.changelog} written")
