"""Which old revisions are deleted: of 1,000 Cloud Run deletes the oldest that do not serve, and does not know which are stable. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.providers import cloud_run_template as templates
from pipelines.providers.cloud_run_traffic import Traffic, short
from pipelines.roles import Marks

KEPT_REVISIONS = 100
"""Of a service, beside those in use: some thirty releases, a candidate and a live twin each, and what failed."""


def prunable(service: Mapping[str, Any], revisions: Sequence[Mapping[str, Any]], marks: Marks) -> list[str]:
    """Names of ours beyond the newest `KEPT_REVISIONS` that nothing needs. `revisions`: all, newest first.

    Needed is what has traffic or a tag, asked for or in effect, what is stable, the latest, and what a delivery or a rollback under
    way goes to or would return to.
    """
    used = {*marks.stable, *(short(service.get(each, "")) for each in ("latestCreatedRevision", "latestReadyRevision"))}
    for traffic in (Traffic.asked(service), Traffic.actual(service)):
        used |= {*traffic.percents, *traffic.tags.values()}
    releases = {marks.restoring, *((marks.lock.release, marks.lock.base) if marks.lock else ())}
    found = []
    for revision in revisions[KEPT_REVISIONS:]:
        name, identity = short(revision["name"]), templates.identity(revision)
        if name not in used and identity is not None and identity.release not in releases:
            found.append(name)
    return found
