"""When users were sent to other deployments, read from the requests that asked for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from rehearsal.definition import Site
from rehearsal.emulator import TrafficChange
from rehearsal.journal import Entry

_MOVE = re.compile(r"^/v\d+/projects/([^/]+)/(?:promote|rollback)/(dpl_[^/]+)$")


def changes(
    requests: Iterable[Entry],
    sites: Iterable[Site],
    *,
    project_of: Callable[[str], str],
    release_of: Callable[[str], str],
) -> Iterator[TrafficChange]:
    """Each promotion and rollback of a site.

    `project_of`: id or name of a project -> its name. `release_of`: id of a deployment -> what people call it.
    """
    known = {site.project: site for site in sites}
    for request in requests:
        match = _MOVE.match(request.path)
        if request.method != "POST" or match is None or not request.took_effect:
            continue
        site = known.get(project_of(match[1]))
        if site is not None:
            text = f"{release_of(match[2])} 100 %"
            yield TrafficChange(at=request.time, environment=site.environment, component=site.component, text=text)
