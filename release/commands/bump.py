"""`shipmate release bump`: write the version into every version file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from pipelines.errors import InputError, LocalError, ReleaseError
from release.commands import console
from release.commands.options import context_options
from release.context import ReleaseContext


class Bumped(NamedTuple):
    """A place that holds the version now."""

    text: str
    """Of its file, with the version there and in the places before."""
    says: str
    unchanged: bool
    """It held the version already."""


@click.command("bump", short_help="Write the version into every version file.")
@click.argument("version", required=False)
@click.option("--channel", default=None, metavar="NAME", help="What comes next is a pre-release on this channel.")
@click.option("--file", "files", multiple=True, metavar="PATH[#KEY]", help="Instead of the manifest's version_files.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 12 when a file differs.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@context_options
def command(context: ReleaseContext, channel: str | None, files: tuple[str, ...], check: bool, as_json: bool) -> None:
    """Write VERSION (or what comes next) into every version file; comments and formatting stay.

    Nothing is committed. Do it on the branch that becomes the release, together with `shipmate release changelog --write`.

    \b
    Examples:
      shipmate release bump
      shipmate release bump 1.3.0
      shipmate release bump mobile-v1.0.1
      shipmate release bump 1.0.1 --file apps/web/package.json --file 'charts/app/Chart.yaml#appVersion'
    """
    if not files:
        context.require_own_file("version_files", lambda component: component.version_files)
    declared = files or context.repository.component.version_files
    if not declared:
        raise InputError(
            "no file is known to hold the version",
            next_step="list them in release/components/…/version_files of shipmate.yml, or pass --file",
        )
    number = _number(context, channel)
    console.warn([*context.repository.warnings, *context.repository.left_out])
    bumped = _bumped(context, declared, number)
    differing = sum(not place.unchanged for places in bumped.values() for place in places)
    for path, places in bumped.items():
        if not check:
            _write(context, path, places[-1].text)
        for place in places:
            console.aside(place.says)
    if as_json:
        changed = [path for path, places in bumped.items() if not all(place.unchanged for place in places)]
        console.as_json({"version": number, "files": list(bumped), "changed": changed})
    if check and differing:
        raise ReleaseError(f"{differing} place(s) do not hold {number}", next_step=f"shipmate release bump {number}")


def _number(context: ReleaseContext, channel: str | None) -> str:
    if context.version:
        return str(context.repository.format.read(context.version))
    from release.versions.wording import why_decision

    decision = context.repository.decide(channel)
    if decision.version is None:
        raise ReleaseError(f"nothing to release: {why_decision(decision)}", next_step="name the version to write")
    return str(decision.version)


def _bumped(context: ReleaseContext, declared: Sequence[str], number: str) -> dict[str, list[Bumped]]:
    """Every place by its file. All are made before any file is written: one that cannot be must not leave others changed."""
    from release.versions.files import read, version_locations, with_build, write

    found: dict[str, list[Bumped]] = {}
    paths: dict[Path, str] = {}
    for place in version_locations(declared):
        # The same file under another name (./a, a link): what is written last would undo what was written before.
        before = found.setdefault(paths.setdefault(context.file(place.path).resolve(), place.path), [])
        try:
            text = before[-1].text if before else context.file(place.path).read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read: {error}", where=place.path, next_step="see version_files") from error
        old = read(place, text)
        new = with_build(number, old)
        message = f"{place}: {new}" if old == new else f"{place}: {old} -> {new}"
        before.append(Bumped(write(place, text, number), message, old == new))
    return found


def _write(context: ReleaseContext, path: str, text: str) -> None:
    try:
        context.file(path).write_bytes(text.encode())
    except OSError as error:
        raise LocalError(
            f"cannot be written: {error.strerror}", where=path, next_step="see the file's rights"
        ) from error
