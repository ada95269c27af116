"""The life of one job: its turn among its siblings, its concurrency group, its environment, a free act, the work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rehearsal.runner import concurrency_queue, environments, planning
from rehearsal.runner.concurrency import Request
from rehearsal.runner.concurrency_queue import ConcurrencyQueue
from rehearsal.runner.environments import Gate
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.gates import Gates, Refused
from rehearsal.runner.graph import Graph
from rehearsal.runner.job_execution import Assignment, JobExecution, JobServices
from rehearsal.runner.model import Annotation, Job, Run
from rehearsal.runner.planning import MatrixJobPlan
from rehearsal.runner.workflow import JobSpec, WorkflowError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunnerServices(JobServices):
    """What all runs of a runner share."""

    queue: ConcurrencyQueue
    slots: asyncio.Semaphore
    """One for each act process that may run."""
    new_job_id: Callable[[], int]
    changed: Callable[[Run, Job | None], None]


@dataclass(kw_only=True)
class MatrixGroup:
    """The jobs of one matrix."""

    turns: asyncio.Semaphore
    fail_fast: bool
    members: list[ScheduledJob] = field(default_factory=list)


class ScheduledJob:
    """One job under way. `start` once; `cancel` and `kill` at any time; `finished` is called when it is over."""

    def __init__(
        self,
        services: RunnerServices,
        run: Run,
        gates: Gates,
        *,
        graph: Graph,
        spec: JobSpec,
        plan: MatrixJobPlan,
        job: Job,
        matrix_group: MatrixGroup,
    ) -> None:
        self.graph, self.spec, self.plan, self.job, self.matrix_group = graph, spec, plan, job, matrix_group
        self._services, self._run, self._gates = services, run, gates
        self._task: asyncio.Task[None] | None = None
        self._execution: JobExecution | None = None
        self._reason = ""
        matrix_group.members.append(self)

    def start(self, finished: Callable[[ScheduledJob], None]) -> None:
        self._task = asyncio.create_task(self._run_to_completion(finished), name=f"job {self.job.id} {self.job.name}")

    def cancel(self, reason: str) -> None:
        """End it: what waits is cancelled, what runs gets its grace period."""
        if self.job.status == "completed":
            return
        self._reason = self._reason or reason
        if self._execution is not None:
            self._execution.cancel(reason)
        elif self._task is not None:
            self._task.cancel()

    def kill(self) -> None:
        """End it and its processes at once."""
        self._reason = self._reason or "The runner was stopped."
        if self._execution is not None:
            self._execution.kill()
        elif self._task is not None:
            self._task.cancel()

    async def wait(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _run_to_completion(self, finished: Callable[[ScheduledJob], None]) -> None:
        try:
            async with self.matrix_group.turns:
                await self._run_in_concurrency_group()
        except asyncio.CancelledError:
            self._annotate(self._reason)
            self.job.conclusion = "cancelled"
        except (Refused, ExpressionError, WorkflowError) as refusal:
            self._annotate(str(refusal))
            self.job.conclusion = "failure"
        except Exception as error:  # a job that never ends would keep its run open for ever
            _log.exception("job %s (%s) ended early", self.job.id, self.job.name)
            self._annotate(f"The runner failed: {error!r}")
            self.job.conclusion = "failure"
        self._complete()
        finished(self)

    async def _run_in_concurrency_group(self) -> None:
        """As on GitHub the group is taken before anybody is asked for approval."""
        group = concurrency_queue.request(self.spec.raw.get("concurrency"), self.plan.contexts, f"job {self.job.id}")
        if group is None:
            await self._run_when_allowed()
            return
        try:
            await self._acquire(group)
            await self._run_when_allowed()
        finally:
            self._services.queue.release(self._run.repository, group)

    async def _acquire(self, group: Request) -> None:
        if self._services.queue.holder(self._run.repository, group.group) == f"run {self._run.id}":
            raise Refused(
                f"Canceling since a deadlock was detected for concurrency group: '{group.group}' between a top level "
                f"workflow and '{self.job.name}'"
            )
        if self._services.queue.holder(self._run.repository, group.group) is not None:
            self._set("pending")
        await self._services.queue.acquire(self._run.repository, group, self.cancel)

    async def _run_when_allowed(self) -> None:
        unsupported = planning.unsupported(self.spec, self.plan, self._services.settings)
        if unsupported is not None:
            raise Refused(unsupported)
        if self.job.environment is not None:
            await self._pass_gate(self.job.environment)
        self._set("queued")
        async with self._services.slots:
            self._execution = JobExecution(self._services, self._assignment(), self._changed)
            await self._execution.run()

    async def _pass_gate(self, environment: str) -> None:
        rules = self._services.hub.environment(self._run.repository, environment)
        reason = environments.refusal(rules, self._run.event.ref)
        if reason is not None:
            raise Refused(reason)
        starter = self._run.triggering_actor or self._run.event.actor
        gate = Gate(rules=rules, since=self._services.clock.now(), starter=starter)
        await self._gates.pass_through(self.job, gate, self._changed)

    def _assignment(self) -> Assignment:
        hub, run = self._services.hub, self._run
        fork = run.event.from_fork
        return Assignment(
            run=run,
            job=self.job,
            spec=self.spec,
            workflow=self.graph.workflow,
            inputs=None if self.graph.parent is None else self.graph.inputs,
            needs=self.graph.needs(self.spec.key),
            contexts=self.plan.contexts,
            secrets={} if fork else self._secrets(),
            variables=hub.variables(run.repository, self.job.environment),
            permissions=planning.token_permissions(self.graph, self.spec, from_fork=fork),
            timeout_minutes=self.plan.timeout_minutes,
        )

    def _secrets(self) -> Mapping[str, str]:
        """The environment's secrets are read here, after approval, and only for the job that names it."""
        hub, repository = self._services.hub, self._run.repository
        common = hub.secrets(repository, None)
        passed = planning.secrets_of(self.graph, common, self.plan.contexts)
        if self.job.environment is None:
            return passed
        merged = hub.secrets(repository, self.job.environment)
        own = {name: value for name, value in merged.items() if name not in common or common[name] != value}
        return {**passed, **own}

    def _set(self, status: str) -> None:
        if self.job.status != status:
            self.job.status = status
            self._changed(self.job)

    def _changed(self, job: Job) -> None:
        self._services.changed(self._run, job)

    def _annotate(self, message: str) -> None:
        if message:
            self.job.annotations.append(Annotation(level="failure", message=message, path=".github", start_line=1))

    def _complete(self) -> None:
        self.job.status = "completed"
        self.job.completed_at = self._services.clock.now()
        if self.job.conclusion == "failure" and self.matrix_group.fail_fast and not self.job.tolerated:
            for sibling in self.matrix_group.members:
                if sibling is not self:
                    sibling.cancel("Canceled because another job of the matrix failed (strategy.fail-fast).")
