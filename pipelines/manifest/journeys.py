"""What journeys may say: each has requests, of a component there is, and fills in only what was taken before."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.manifest.model import Journey, JourneyRequest

VISIT = "visit"
"""Filled in everywhere: another value at each visit."""
NAMES = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A place to be filled in. A brace of JSON or of a regular expression is none."""
LONGEST_THOUGHT = 300.0
"""Seconds between two requests of a visit, at the most."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def problems(journeys: Mapping[str, Journey], components: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with them, each with its path in the manifest."""
    for name, journey in journeys.items():
        where = f"journeys/{name}"
        if journey.component not in components:
            yield f"{where}/component", f"there is no component {journey.component!r}"
        if not 0 <= journey.weight < math.inf:
            yield f"{where}/weight", f"{journey.weight:g} must be a number, 0 or more"
        if not journey.requests:
            yield f"{where}/requests", "has no request, so it would prove nothing"
        known = {VISIT}
        for index, request in enumerate(journey.requests):
            yield from _check(request, known, f"{where}/requests/{index}")
            known |= {*request.save, *request.find}


def _check(request: JourneyRequest, known: set[str], where: str) -> Iterator[tuple[str, str]]:
    if not request.path.startswith("/"):
        yield f"{where}/path", f"{request.path!r} must begin with a slash: it is below the address of the component"
    if not 0 <= request.think_seconds <= LONGEST_THOUGHT:
        yield f"{where}/think_seconds", f"{request.think_seconds:g} must be from 0 to {LONGEST_THOUGHT:g}"
    texts = {
        "path": [request.path],
        "headers": list(request.headers.values()),
        "body": [request.body],
        "contains": list(request.contains),
        "json": list(request.json.values()),
    }
    for key, written in texts.items():
        for name in sorted({found for text in written for found in NAMES.findall(text)} - known):
            yield f"{where}/{key}", f"{{{name}}} is not known here{_why(name, known)}"
    for key, taken in (("save", request.save), ("find", request.find)):
        for name, source in taken.items():
            if not _NAME.fullmatch(name) or name in known:
                yield f"{where}/{key}/{name}", "must be a new name of small letters, digits and underscores"
            if key == "find" and (problem := _of_pattern(source)):
                yield f"{where}/{key}/{name}", problem
    if both := sorted(set(request.save) & set(request.find)):
        yield f"{where}/find/{both[0]}", "is taken by `save` as well"
    for name, pattern in request.answer_headers.items():
        if problem := _broken(pattern):
            yield f"{where}/answer_headers/{name}", problem


def _why(name: str, known: set[str]) -> str:
    if name in ("release", "commit"):
        return ": a journey is asked of what is live too, which is another release; a smoke check may say it"
    return f": use {', '.join(f'{{{one}}}' for one in sorted(known))}, or take it with `save` or `find` in a request before"


def _of_pattern(pattern: str) -> str:
    broken = _broken(pattern)
    if broken:
        return broken
    groups = re.compile(pattern).groups
    return "" if groups == 1 else f"{pattern!r} must have one group, what is taken, and has {groups}"


def _broken(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"{pattern!r} is no regular expression: {error}"
    return ""
