"""Tags that look like versions and do not count: reported where one of them is above what the next version comes after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from release.versions.tags import Released, TagFormat, highest

if TYPE_CHECKING:
    from release.versions.branches import MaintenanceLine
    from release.versions.repository import Repository

_LIKE = re.compile(
    r"(?P<prefix>(?:[A-Za-z][\w.@/-]*?[-_@/])?[vV]?)(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){0,3})(?P<rest>[-+._]?[0-9A-Za-z.+-]*)"
)
_NAMED = 3
"""So many tags are named of each kind."""


def released_elsewhere(
    repository: Repository, base: Released | None, line: MaintenanceLine | None, is_below: Callable[[str], bool]
) -> Released | None:
    """The highest final release above `base` when it is not below the commit: releases are made on branches then, or it was never
    merged back. On a maintenance line only its own count."""
    above = highest(
        each
        for each in repository.standing
        if each.final
        and (base is None or each.rank > base.rank)
        and (line is None or line.holds(each.rank))
        and each.commit not in repository.absent
    )
    return above if above is not None and not is_below(above.commit) else None


def overlooked(repository: Repository, base: Released | None, elsewhere: Released | None) -> Iterator[str]:
    """Warnings: tags of other formats, or no semantic versions, above `base`; and a release that is above it elsewhere."""
    yield from _of_other_formats(repository, base)
    if elsewhere is not None:
        counted = f"counts from {base.tag}" if base is not None else "is a first one"
        yield (
            f"{elsewhere.tag} is not below {repository.commit[:9]}, so what comes next {counted}: "
            f"git merge {elsewhere.tag} lets it count"
        )


def _of_other_formats(repository: Repository, base: Released | None) -> Iterator[str]:
    """Tags nobody reads: other prefixes (1.2.3 beside v1.2.3), and what is no semantic version (v1.2, v1.2.3rc1)."""
    known = {each.tag for each in repository.released}
    floor = _numbers(str(base.version)) if base is not None else ()
    own, others = (
        repository.format,
        [TagFormat(each.tag_format) for each in repository.rules.release.components.values()],
    )
    found: list[str] = []
    for tag in repository.tags:
        like = _LIKE.fullmatch(tag.name) if tag.name not in known and len(tag.name) < 256 else None
        if like is None or any(other.version(tag.name) is not None for other in others):
            continue
        same = like["prefix"] == own.prefix
        plain = not like["prefix"].rstrip("vV") and "." in like["numbers"]
        if (same or plain or base is None) and _numbers(like["numbers"]) > floor:
            found.append(tag.name)
    if found:
        yield (
            f"{len(found)} tag(s) are no versions written as {own.text!r} and do not count: {_some(found)} "
            "(--tag-format names another form)"
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[-_NAMED:][::-1]) + (", …" if len(names) > _NAMED else "")


def _numbers(text: str) -> tuple[int, ...]:
    core = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", text)
    return tuple(map(int, core[0].split("."))) if core else ()
