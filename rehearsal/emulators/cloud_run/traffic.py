"""When users were sent to other revisions, read from the requests that asked for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from rehearsal.definition import Service
from rehearsal.emulator import TrafficChange
from rehearsal.journal import Entry

_SERVICE = re.compile(r"^/v2/projects/([^/]+)/locations/[^/]+/services/([^/]+)$")
_NEW_SERVICE = re.compile(r"^/v2/projects/[^/]+/locations/[^/]+/services$")


def changes(
    requests: Iterable[Entry], services: Iterable[Service], release_of: Callable[[str], str]
) -> Iterator[TrafficChange]:
    """Each request whose `traffic` gives a revision another share than the one before; tags alone move nobody.

    `release_of`: name of a revision -> what people call it.
    """
    known = {(service.project, service.name): service for service in services}
    shares: dict[str, dict[str, int]] = {}
    for request in requests:
        resource = _resource(request)
        match = _SERVICE.match(resource)
        service = known.get((match[1], match[2])) if match else None
        targets = request.request.get("traffic") if isinstance(request.request, dict) else None
        if service is None or not targets or not request.took_effect:
            continue
        before, wanted = shares.get(resource), _percents(targets)
        shares[resource] = wanted
        if wanted != before:
            text = ", ".join(f"{release_of(revision)} {percent} %" for revision, percent in wanted.items())
            yield TrafficChange(
                at=request.time, environment=service.environment, component=service.component, text=text
            )


def _resource(request: Entry) -> str:
    """The service that is changed; one that is created is named in the query."""
    if request.method == "POST" and _NEW_SERVICE.match(request.path):
        return f"{request.path}/{dict(parse_qsl(request.query)).get('serviceId', '')}"
    return request.path if request.method == "PATCH" else ""


def _percents(targets: list[dict[str, Any]]) -> dict[str, int]:
    shares: dict[str, int] = {}
    for target in targets:
        revision, percent = str(target.get("revision", "the latest")), int(target.get("percent", 0))
        if percent:
            shares[revision] = shares.get(revision, 0) + percent
    return shares
