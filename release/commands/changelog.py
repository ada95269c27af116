"""`shipmate release changelog`: CHANGELOG.md, for those who use it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import click

from pipelines.errors import InputError, LocalError, ReleaseError
from release.changelog import built_in
from release.changelog.entries import Printer
from release.changelog.parallel import in_two_processes
from release.changelog.rendering import PREAMBLE, RenderedSection, write
from release.changelog.sections import SectionRange, judged, section_ranges
from release.changelog.templating import load
from release.commands import console
from release.commands.options import context_options
from release.context import ReleaseContext
from release.versions.decision import Decision, Facts, decide


@click.command("changelog", short_help="CHANGELOG.md, for those who use it.")
@click.option("--write", "to_file", is_flag=True, help="Into the file; what people edited in it stays.")
@click.option("--check", is_flag=True, help="Exit with 12 when --write would change the file.")
@click.option("--rewrite", is_flag=True, help="With --write: generate again what nobody edited (a template changed).")
@click.option("--released", is_flag=True, help="Only what is released, not what comes next.")
@click.option("--channel", default=None, metavar="NAME", help="What comes next is a pre-release on this channel.")
@click.option("--prereleases", is_flag=True, help="Keep a section for every pre-release.")
@context_options
def command(
    context: ReleaseContext,
    to_file: bool,
    check: bool,
    rewrite: bool,
    released: bool,
    channel: str | None,
    prereleases: bool,
) -> None:
    """The changelog, breaking changes first: on standard output, or into the file with --write.

    In a file, every section that is there is kept as it is; missing releases are added. Made from git alone: the same
    history gives the same bytes.

    \b
    Examples:
      shipmate release changelog | less
      shipmate release changelog --write
      shipmate release changelog -C ../other --tag-format '{version}' --released
    """
    with console.busy("reading the history") as sign:
        context = replace(context, seen=sign.seen)
        if to_file or check:
            _ = context.top  # a bare repository has no file to write
            context.require_own_file("changelog", lambda component: [component.changelog])
        chosen = context.repository.channel(channel)
        ranges = _ranges(context, chosen, released=released, prereleases=prereleases)
        console.warn([*context.repository.warnings, *context.repository.left_out])
        sign.what = "writing the changelog"
        own = context.own_template("changelog")
        fill = load(own) if own is not None else built_in.changelog
        if to_file or check:
            over = not (released or chosen or any(part.pending for part in ranges))
            _merge(context, list(_write(context, ranges, fill)), rewrite=rewrite, over=over, only_check=check)
            return
        sys.stdout.write(PREAMBLE)
        for text in in_two_processes(ranges, lambda some: _texts(_write(context, some, fill))):
            sys.stdout.write(text)


def _ranges(context: ReleaseContext, channel: str, *, released: bool, prereleases: bool) -> list[SectionRange]:
    repository = context.repository

    def prepare(facts: Facts) -> Decision | None:
        return None if released else decide(facts, context.rules, repository.component, channel=channel)

    return section_ranges(repository, prepare, prereleases=prereleases)


def _write(
    context: ReleaseContext, ranges: Sequence[SectionRange], fill: Callable[[dict[str, Any]], str]
) -> Iterator[RenderedSection]:
    repository = context.repository
    found = (judged(repository, part) for part in ranges)
    return write(found, fill, Printer(context.web), repository.rules.groups)


def _texts(written: Iterator[RenderedSection]) -> Iterator[str]:
    """In pieces: a long history need not be held as text, nor written line by line."""
    while piece := list(islice(written, 500)):
        yield "".join(f"\n{each.text}" for each in piece)


def _merge(
    context: ReleaseContext, written: list[RenderedSection], *, rewrite: bool, over: bool, only_check: bool
) -> None:
    from release.changelog.file import merge, replace, with_line_ends

    repository = context.repository
    file = context.file(repository.component.changelog)
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
        replace(file, with_line_ends(new, before).encode())
    except UnicodeDecodeError as error:
        raise InputError(
            f"cannot be read as UTF-8: {error.reason} at byte {error.start}",
            where=str(file),
            next_step="save it as UTF-8, then run this again: iconv -f LATIN1 -t UTF-8",
        ) from error
    except OSError as error:
        raise LocalError(f"{file} cannot be written: {error.strerror}", next_step="see the folder's rights") from error
    console.aside(f"{repository.component.changelog} written")
