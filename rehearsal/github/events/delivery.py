"""Events recorded as deliveries, and handed to the runner when they may start workflows."""

from __future__ import annotations

from typing import Any

from rehearsal.github.events import payloads
from rehearsal.github.identity import Identity
from rehearsal.github.instance import Delivery, GitHubInstance
from rehearsal.github.repositories.state import Repository
from rehearsal.github.runs.rules import starts_workflows
from rehearsal.runner.model import Event, Run


def build_event(
    instance: GitHubInstance,
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
        payload={**payloads.common(instance.view(), repository, by.login), **body},
        ref=ref,
        sha=sha,
        actor=by.login,
        from_fork=from_fork,
        by_workflow_token=by.is_job,
    )


async def deliver(
    instance: GitHubInstance,
    repository: Repository,
    name: str,
    body: dict[str, Any],
    *,
    ref: str,
    sha: str,
    by: Identity,
    from_fork: bool = False,
) -> list[Run]:
    """Deliver an event; returns the runs it started.

    What a job's GITHUB_TOKEN does starts nothing, so that no workflow can start itself without end.
    """
    event = build_event(instance, repository, name, body, ref=ref, sha=sha, by=by, from_fork=from_fork)
    started: list[Run] = []
    if instance.runner is not None and starts_workflows(name, by_job=event.by_workflow_token):
        started = await instance.runner.emit(event)
    record_delivery(instance, event, started)
    return started


def record_delivery(instance: GitHubInstance, event: Event, started: list[Run]) -> None:
    """Keep an event among the deliveries."""
    instance.deliveries.append(Delivery(event=event, at=instance.now(), started=tuple(run.id for run in started)))
    instance.notify()
