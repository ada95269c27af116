"""`shipmate release bump`: write the version into every version file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from pipelines.errors import InputError, LocalError, ReleaseError
from release import console
from release.options import workplace_options
from release.workplace import Workplace


@click.command("bump", short_help="Write the version into every version file.")
@click.argument("version", required=False)
@click.option("--channel", default=None, metavar="NAME", help="What comes next is a pre-release on this channel.")
@click.option("--file", "files", multiple=True, metavar="PATH[#KEY]", help="Instead of the manifest's version_files.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 12 when a file differs.")
@workplace_options
def command(
    workplace: Workplace, version: str | None, channel: str | None, files: tuple[str, ...], check: bool
) -> None:
    """Write VERSION (or what comes next) into every version file; comments and formatting stay.

    Nothing is committed. Do it on the branch that becomes the release, together with `shipmate release changelog --write`.

    \b
    Examples:
      shipmate release bump
      shipmate release bump 1.3.0
      shipmate release bump v1.0.1 --file apps/mobile/app.json --tag-format 'mobile-v{version}'
    """
    declared = files or workplace.repository.component.version_files
    if not declared:
        raise InputError(
            "no file is known to hold the version",
            next_step="list them in release/components/…/version_files of shipmate.yml, or pass --file",
        )
    number = _number(workplace, version, channel)
    texts, differing = _bumped(workplace, declared, number)
    if check and differing:
        raise ReleaseError(f"{differing} place(s) do not hold {number}", next_step=f"shipmate release bump {number}")
    if not check:
        _write(workplace, texts)


def _number(workplace: Workplace, version: str | None, channel: str | None) -> str:
    from release.choosing import decision_of

    if version:
        return str(workplace.repository.format.read(version))
    decision = decision_of(workplace, channel)
    if decision.version is None:
        raise ReleaseError(f"nothing to release: {decision.why}", next_step="name the version to write")
    return str(decision.version)


def _bumped(workplace: Workplace, declared: Sequence[str], number: str) -> tuple[dict[str, str], int]:
    """The files with the version in them, and how many places held another."""
    from release.version_files import places, read, write

    texts: dict[str, str] = {}
    differing = 0
    for place in places(declared):
        try:
            text = texts.get(place.path) or (workplace.top / place.path).read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read: {error}", where=place.path, next_step="see version_files") from error
        old = read(place, text)
        differing += old != number
        texts[place.path] = write(place, text, number)
        console.aside(f"{place}: {number}" if old == number else f"{place}: {old} -> {number}")
    return texts, differing


def _write(workplace: Workplace, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        try:
            (workplace.top / path).write_bytes(text.encode())
        except OSError as error:
            raise LocalError(
                f"cannot be written: {error.strerror}", where=path, next_step="see the file's rights"
            ) from error
