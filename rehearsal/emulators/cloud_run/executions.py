"""Jobs and their executions as Cloud Run keeps them. Times are epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rehearsal.emulators import saving
from rehearsal.emulators.cloud_run.names import JobName
from rehearsal.emulators.cloud_run.resources import FAILED, SUCCEEDED, Condition, etag_of

COMPLETED, STARTED = "Completed", "Started"
NON_ZERO_EXIT_CODE, CANCELLED = "NON_ZERO_EXIT_CODE", "CANCELLED"
"""Reasons of an execution."""


@dataclass(kw_only=True)
class Execution:
    """One run of a job; `template` is that of its one task, as the job had it then."""

    name: str
    job: JobName
    template: dict[str, Any]
    annotations: dict[str, str]
    labels: dict[str, str]
    uid: str
    created: float
    creator: str
    started: float = 0.0
    completed: float = 0.0
    attempts: int = 0
    exit_code: int | None = None
    """Of the last attempt; None before its end, and when it was killed or never began."""
    signal: int = 0
    """That ended the last attempt."""
    conditions: dict[str, Condition] = field(default_factory=dict)

    @property
    def container(self) -> dict[str, Any]:
        """Its one container."""
        container: dict[str, Any] = self.template["containers"][0]
        return container

    @property
    def succeeded(self) -> bool:
        """Its task ended well."""
        return COMPLETED in self.conditions and self.conditions[COMPLETED].state == SUCCEEDED

    @property
    def full_name(self) -> str:
        """With its job's."""
        return self.job.execution(self.name)

    def set(self, *conditions: Condition) -> None:
        """Replace the conditions of the same types."""
        for condition in conditions:
            self.conditions[condition.type] = condition

    def fail(self, now: float, message: str, reason: str = "") -> None:
        """End it without success."""
        self.completed = now
        self.set(
            Condition(
                type=COMPLETED,
                state=FAILED,
                changed=now,
                message=message,
                reason=reason,
                reason_field="executionReason",
                severity="ERROR",
            )
        )


@dataclass(kw_only=True)
class Job:
    """`spec` is what the user asked for."""

    name: JobName
    spec: dict[str, Any]
    uid: str
    created: float
    updated: float
    creator: str
    last_modifier: str
    generation: int = 1
    worked: int = 0
    """Generation up to which all is done or given up."""
    conditions: dict[str, Condition] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)

    @property
    def reconciling(self) -> bool:
        """What was asked for is not yet looked at."""
        return self.worked != self.generation

    @property
    def etag(self) -> str:
        """Changes with every change of the settings."""
        return etag_of(self.uid, self.generation, self.updated)


def saved_job(job: Job) -> dict[str, Any]:
    """JSON of a job with its executions."""
    return saving.to_json(job)


def loaded_job(saved: dict[str, Any]) -> Job:
    """The reverse of `saved_job`. An execution that was under way has ended: its process is gone."""
    job = saving.from_json(Job, saved)
    job.worked = job.generation
    for execution in job.executions.values():
        if not execution.completed:
            execution.fail(max(execution.created, execution.started), "The execution was cancelled.", CANCELLED)
    return job
