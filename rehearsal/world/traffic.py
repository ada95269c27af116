"""When providers were told to send users elsewhere, read from the journal of their requests. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from rehearsal.definition import Definition, Service
from rehearsal.journal import Entry

_VERCEL = re.compile(r"^/v\d+/projects/([^/]+)/(promote|rollback)/(dpl_[^/]+)$")
_SERVICE = re.compile(r"^/v2/projects/([^/]+)/locations/[^/]+/services/([^/]+)$")
_NEW_SERVICE = re.compile(r"^/v2/projects/[^/]+/locations/[^/]+/services$")


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the providers know by numbers, in words."""

    release: Callable[[str, str], str]
    """(emulator, revision or deployment) -> the release in its marks, or its own name."""
    project: Callable[[str], str]
    """Id of a Vercel project -> its name; a name stays."""


def shifts(entries: Iterable[Entry], definition: Definition, names: Names) -> list[dict[str, Any]]:
    """{"at", "environment", "component", "text"} of every request that moved users, oldest first."""
    found: list[dict[str, Any]] = []
    shares: dict[str, dict[str, int]] = {}
    for entry in entries:
        if entry.emulator == "cloud-run":
            found += _of_service(entry, definition, names, shares)
        elif entry.emulator == "vercel":
            found += _of_site(entry, definition, names)
    return found


def _of_service(
    entry: Entry, definition: Definition, names: Names, shares: dict[str, dict[str, int]]
) -> Iterator[dict[str, Any]]:
    """A change of `traffic` that gives a revision another share. Tags alone move nobody."""
    match = _SERVICE.match(_resource(entry))
    service = _named(definition, match[1], match[2]) if match else None
    targets = entry.request.get("traffic") if isinstance(entry.request, dict) else None
    if service is None or not targets or not _reached(entry):
        return
    before, wanted = shares.get(_resource(entry)), _percents(targets)
    shares[_resource(entry)] = wanted
    if wanted != before:
        named = [(names.release("cloud-run", revision), percent) for revision, percent in wanted.items()]
        text = ", ".join(f"{release} {percent} %" for release, percent in named)
        yield _shift(entry, service.environment, service.component, text)


def _resource(entry: Entry) -> str:
    """The service that is changed; one that is created is named in the query."""
    if entry.method == "POST" and _NEW_SERVICE.match(entry.path):
        return f"{entry.path}/{dict(parse_qsl(entry.query)).get('serviceId', '')}"
    return entry.path if entry.method == "PATCH" else ""


def _of_site(entry: Entry, definition: Definition, names: Names) -> Iterator[dict[str, Any]]:
    match = _VERCEL.match(entry.path)
    if entry.method != "POST" or match is None or not _reached(entry):
        return
    for site in definition.sites:
        if site.project == names.project(match[1]):
            yield _shift(entry, site.environment, site.component, f"{names.release('vercel', match[3])} 100 %")


def _reached(entry: Entry) -> bool:
    """It had an effect: answered well, or the answer was lost."""
    return entry.status is None or 200 <= entry.status < 300


def _named(definition: Definition, project: str, name: str) -> Service | None:
    return next((s for s in definition.services if (s.project, s.name) == (project, name)), None)


def _percents(targets: list[dict[str, Any]]) -> dict[str, int]:
    shares: dict[str, int] = {}
    for target in targets:
        revision, percent = str(target.get("revision", "the latest")), int(target.get("percent", 0))
        if percent:
            shares[revision] = shares.get(revision, 0) + percent
    return shares


def _shift(entry: Entry, environment: str, component: str, text: str) -> dict[str, Any]:
    return {"at": entry.time, "environment": environment, "component": component, "text": text}
