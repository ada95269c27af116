"""The Admin API of jobs without HTTP: jobs, executions, and the operations that change and run them."""

from __future__ import annotations

import asyncio
import copy
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.emulators.cloud_run.executions import Execution, Job, loaded_job, saved_job
from rehearsal.emulators.cloud_run.fleet import StartFailed
from rehearsal.emulators.cloud_run.job_views import execution_json, job_json
from rehearsal.emulators.cloud_run.names import JobName, check_job_id, generated_execution
from rehearsal.emulators.cloud_run.operations import Operation, Operations
from rehearsal.emulators.cloud_run.resources import FAILED, READY, RECONCILING, SUCCEEDED, Condition
from rehearsal.emulators.cloud_run.tasks import Tasks
from rehearsal.emulators.cloud_run.template import checked_job
from rehearsal.emulators.cloud_run.views import typed
from rehearsal.emulators.google.errors import GoogleError, not_found

_MUTABLE = ("labels", "annotations", "client", "clientVersion", "launchStage", "binaryAuthorization", "template")


class Jobs:
    """Every job of every project. `pause`: seconds a change takes at least. `looked_at` says whether a job could start: StartFailed."""

    def __init__(
        self,
        operations: Operations,
        tasks: Tasks,
        looked_at: Callable[[Execution], Any],
        *,
        pause: float,
        dice: random.Random,
        clock: Callable[[], float],
    ) -> None:
        self._operations = operations
        self._tasks = tasks
        self._looked_at = looked_at
        self._pause = pause
        self._dice = dice
        self._clock = clock
        self._jobs: dict[JobName, Job] = {}
        self._work: set[asyncio.Task[None]] = set()

    def get(self, name: JobName) -> Job:
        """Raises GoogleError NOT_FOUND."""
        if name not in self._jobs:
            raise not_found(str(name))
        return self._jobs[name]

    def all(self, parent: str = "projects/") -> list[Job]:
        """Those under `projects/P/locations/L`, by name."""
        found = [job for name, job in self._jobs.items() if f"{name}/".startswith(f"{parent.rstrip('/')}/")]
        return sorted(found, key=lambda job: job.name)

    def execution(self, name: JobName, execution: str) -> Execution:
        """Raises GoogleError NOT_FOUND."""
        executions = self.get(name).executions
        if execution not in executions:
            raise not_found(name.execution(execution))
        return executions[execution]

    def executions(self, name: JobName) -> list[Execution]:
        """Newest first."""
        return sorted(self.get(name).executions.values(), key=lambda each: (each.created, each.name), reverse=True)

    def create(self, name: JobName, body: Mapping[str, Any], *, principal: str, dry: bool) -> Operation:
        """A new job; nothing runs. Raises GoogleError."""
        check_job_id(name.job)
        if name in self._jobs:
            raise GoogleError("ALREADY_EXISTS", f"Resource '{name.job}' already exists.")
        now = self._clock()
        job = Job(
            name=name,
            spec={},
            uid=str(uuid.uuid4()),
            created=now,
            updated=now,
            creator=principal,
            last_modifier=principal,
            generation=0,
        )
        return self._change(job, body, principal, dry)

    def patch(self, name: JobName, body: Mapping[str, Any], *, principal: str, dry: bool) -> Operation:
        """Replace a job's settings: there is no mask. Raises GoogleError."""
        job = self.get(name)
        _match(job, body.get("etag"))
        return self._change(job, body, principal, dry)

    def delete(self, name: JobName, *, etag: str | None) -> Operation:
        """Forget a job and its executions. Raises GoogleError."""
        job = self.get(name)
        _match(job, etag)
        if any(not execution.completed for execution in job.executions.values()):
            raise GoogleError("FAILED_PRECONDITION", f"Job '{name.job}' has running executions.")
        del self._jobs[name]
        operation = self._operations.begin(name.parent, lambda: typed("Job", job_json(job)))
        operation.succeed(typed("Job", job_json(job)))
        return operation

    def run(self, name: JobName, body: Mapping[str, Any], *, principal: str) -> Operation:
        """Begin an execution; the operation ends with it. Raises GoogleError."""
        job = self.get(name)
        _match(job, body.get("etag"))
        if body.get("overrides"):
            raise GoogleError("UNIMPLEMENTED", "The rehearsal's Cloud Run runs jobs as they are, without overrides.")
        execution = self._new(job, principal)
        operation = self._operations.begin(name.parent, lambda: typed("Execution", execution_json(execution)))
        if body.get("validateOnly"):
            operation.succeed(typed("Execution", execution_json(execution)))
            return operation
        job.executions[execution.name] = execution
        self._spawn(self._execute(execution, operation))
        return operation

    async def quiesce(self) -> None:
        """End work under way, and the processes of it."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def clear(self) -> None:
        """Forget every job."""
        self._jobs.clear()

    def save(self) -> list[dict[str, Any]]:
        """JSON of all jobs."""
        return [saved_job(job) for job in self.all()]

    def load(self, saved: list[dict[str, Any]]) -> None:
        """Replace all jobs."""
        self._jobs = {job.name: job for job in map(loaded_job, saved)}

    def _change(self, job: Job, body: Mapping[str, Any], principal: str, dry: bool) -> Operation:
        spec = checked_job({field: copy.deepcopy(body[field]) for field in _MUTABLE if field in body})
        operation = self._operations.begin(job.name.parent, lambda: typed("Job", job_json(job)))
        if dry:
            operation.succeed(typed("Job", {**job_json(job), **spec}))
            return operation
        self._jobs[job.name] = job
        job.spec, job.last_modifier, job.updated = spec, principal, self._clock()
        job.generation += 1
        job.conditions[READY] = Condition(type=READY, state=RECONCILING, changed=job.updated)
        self._spawn(self._reconcile(job, job.generation, operation))
        return operation

    async def _reconcile(self, job: Job, generation: int, operation: Operation) -> None:
        """See that its image and secrets are there, as Cloud Run does before it calls a job ready."""
        await asyncio.sleep(self._pause)
        try:
            await self._looked_at(self._new(job, job.last_modifier))
        except StartFailed as failed:
            ready = Condition(
                type=READY,
                state=FAILED,
                changed=self._clock(),
                message=failed.message,
                reason=failed.reason,
                reason_field=failed.reason_field,
                severity="ERROR",
            )
            operation.fail(GoogleError("FAILED_PRECONDITION", failed.message))
        else:
            ready = Condition(type=READY, state=SUCCEEDED, changed=self._clock())
        if job.generation == generation:
            job.conditions[READY] = ready
            job.worked = generation
        if operation.error is None:
            operation.succeed(typed("Job", job_json(job)))

    def _new(self, job: Job, principal: str) -> Execution:
        template = job.spec["template"]
        return Execution(
            name=generated_execution(job.name, self._dice),
            job=job.name,
            template=copy.deepcopy(template["template"]),
            annotations=dict(template.get("annotations", {})),
            labels=dict(template.get("labels", {})),
            uid=str(uuid.uuid4()),
            created=self._clock(),
            creator=principal,
        )

    async def _execute(self, execution: Execution, operation: Operation) -> None:
        await asyncio.sleep(self._pause)
        await self._tasks.run(execution)
        operation.succeed(typed("Execution", execution_json(execution)))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


def _match(job: Job, etag: object) -> None:
    if etag and etag != job.etag:
        raise GoogleError(
            "ABORTED",
            f"Conflict for resource '{job.name.job}': etag {etag} was given but the current one is {job.etag}.",
        )
