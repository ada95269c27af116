"""Events on their way: recorded, and handed to the runner when they may start workflows."""

from __future__ import annotations

from typing import Any

from rehearsal.github.events import payloads
from rehearsal.github.identity import Identity
from rehearsal.github.instance import Delivery, Service
from rehearsal.github.repositories.state import Repository
from rehearsal.runner.model import Event, Run

_DISPATCHES = frozenset({"workflow_dispatch", "repository_dispatch"})
"""The only events that start workflows when made with a job's token."""


def event(
    service: Service,
    repository: Repository,
    name: str,
    body: dict[str, Any],
    *,
    ref: str,
    sha: str,
    by: Identity,
    from_fork: bool = False,
) -> Event:
    """An event with what every payload carries put under `body`."""
    return Event(
        name=name,
        repository=repository.full_name,
        payload={**payloads.common(service.view(), repository, by.login), **body},
        ref=ref,
        sha=sha,
        actor=by.login,
        from_fork=from_fork,
        by_workflow_token=by.is_job,
    )


async def announce(
    service: Service,
    repository: Repository,
    name: str,
    body: dict[str, Any],
    *,
    ref: str,
    sha: str,
    by: Identity,
    from_fork: bool = False,
) -> list[Run]:
    """Tell of an event; returns the runs it started.

    What a job's GITHUB_TOKEN does starts nothing, so that no workflow can start itself without end.
    """
    told = event(service, repository, name, body, ref=ref, sha=sha, by=by, from_fork=from_fork)
    started: list[Run] = []
    if service.runner is not None and (not told.by_workflow_token or name in _DISPATCHES):
        started = await service.runner.emit(told)
    record(service, told, started)
    return started


def record(service: Service, told: Event, started: list[Run]) -> None:
    """Keep an event for whoever asks what was delivered."""
    service.deliveries.append(Delivery(event=told, at=service.now(), started=tuple(run.id for run in started)))
    service.notify()
