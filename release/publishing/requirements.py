"""pip's requirements files as lock files: every line is understood, or an error names it.

Source: pip.pypa.io/en/stable/reference/requirements-file-format; the lines themselves are PEP 508, read by `packaging`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from pipelines.errors import InputError

_COMMENT = re.compile(r"(^|\s)#.*$")
_FOLLOWED = re.compile(r"(?:-r|--requirement)(?:\s+|=|(?<=-r))(.+)")
_HARMLESS = re.compile(
    r"(?:-c|--constraint|-i|--index-url|--extra-index-url|--no-index|-f|--find-links|--no-binary|--only-binary|--prefer-binary"
    r"|--require-hashes|--pre|--trusted-host|--use-feature)(?:\s|=|$).*"
)
"""Options that say where packages come from, not which."""
_OF_ONE = re.compile(r"\s--(?:hash|config-settings|global-option)(?:\s+|=)\S+")
"""Options of one requirement, behind it."""


def pins(lock: str, text: str, other: Callable[[str], str | None]) -> Iterator[tuple[str, str]]:
    """(name, version) of each requirement, those of the files it includes too. Raises InputError, with file and line, for a line that
    is not understood or leaves the version open."""
    return _pins(lock, text, other, (lock,))


def _pins(
    lock: str, text: str, other: Callable[[str], str | None], opened: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    for number, line in _lines(text):
        where = f"{lock}:{number}"
        if followed := _FOLLOWED.fullmatch(line):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(lock), followed[1].strip()))
            if path in opened:
                raise InputError(f"{path} includes itself", where=where, next_step="take this line out")
            included = other(path)
            if included is None:
                raise InputError(
                    f"{path} is not in the commit", where=where, next_step="commit it, or take this line out"
                )
            yield from _pins(path, included, other, (*opened, path))
        elif not _HARMLESS.fullmatch(line):
            yield _pin(line, where)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first one: continued ones joined, comments and empty ones left out."""
    started, held = 0, ""
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        line = "" if not held and raw.lstrip().startswith("#") else raw
        started = started if held else number
        if line.rstrip().endswith("\\") and not line.lstrip().startswith("#"):
            held += line.rstrip()[:-1] + " "
            continue
        joined = _COMMENT.sub("", held + line).strip()
        held = ""
        if joined:
            yield started, joined


def _pin(line: str, where: str) -> tuple[str, str]:
    """Name, as PyPI writes it, and version of one requirement."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    wanted = "lock with exact versions, name==version (pip-compile, uv pip compile)"
    try:
        found = Requirement(_OF_ONE.sub("", line).strip())
    except InvalidRequirement as error:
        why = str(error).splitlines()[0]
        raise InputError(f"{line!r} is no locked requirement", where=where, why=why, next_step=wanted) from error
    exact = [each.version for each in found.specifier if each.operator in ("==", "===")]
    if found.url or len(exact) != 1 or exact[0].endswith(".*"):
        raise InputError(
            f"{line!r} leaves open which version is shipped",
            where=where,
            why="it is taken from an address" if found.url else "it names no single version",
            next_step=wanted,
        )
    return canonicalize_name(found.name), exact[0]
