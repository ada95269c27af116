"""The life of one job: its turn among its siblings, its concurrency group, its environment, a free act, the work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rehearsal.runner import concurrency_queue as lanes
from rehearsal.runner import environments, planning
from rehearsal.runner.concurrency import Request
from rehearsal.runner.environments import Gate
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.gates import Gates, Refused
from rehearsal.runner.graph import Graph
from rehearsal.runner.job_execution import Assignment, JobExecution, Workshop
from rehearsal.runner.model import Annotation, Job, Run
from rehearsal.runner.planning import LegPlan
from rehearsal.runner.workflow import JobSpec, WorkflowError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What all runs of a runner share."""

    shop: Workshop
    lanes: lanes.Lanes
    slots: asyncio.Semaphore
    """One for each act process that may run."""
    new_job_id: Callable[[], int]
    changed: Callable[[Run, Job | None], None]


@dataclass(kw_only=True)
class Team:
    """The legs of one matrix."""

    turns: asyncio.Semaphore
    fail_fast: bool
    members: list[Part] = field(default_factory=list)


class Part:
    """One job under way. `start` once; `cancel` and `kill` at any time; `finished` is called when it is over."""

    def __init__(
        self, floor: Floor, run: Run, gates: Gates, *, graph: Graph, spec: JobSpec, plan: LegPlan, job: Job, team: Team
    ) -> None:
        self.graph, self.spec, self.plan, self.job, self.team = graph, spec, plan, job, team
        self._floor, self._run, self._gates = floor, run, gates
        self._task: asyncio.Task[None] | None = None
        self._execution: JobExecution | None = None
        self._reason = ""
        team.members.append(self)

    def start(self, finished: Callable[[Part], None]) -> None:
        self._task = asyncio.create_task(self._live(finished), name=f"job {self.job.id} {self.job.name}")

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

    async def _live(self, finished: Callable[[Part], None]) -> None:
        try:
            async with self.team.turns:
                await self._hold_group_and_work()
        except asyncio.CancelledError:
            self._complain(self._reason)
            self.job.conclusion = "cancelled"
        except (Refused, ExpressionError, WorkflowError) as refusal:
            self._complain(str(refusal))
            self.job.conclusion = "failure"
        except Exception as error:  # a job that never ends would keep its run open for ever
            _log.exception("job %s (%s) ended early", self.job.id, self.job.name)
            self._complain(f"The runner failed: {error!r}")
            self.job.conclusion = "failure"
        self._complete()
        finished(self)

    async def _hold_group_and_work(self) -> None:
        """As on GitHub the group is taken before anybody is asked for approval."""
        group = lanes.request(self.spec.raw.get("concurrency"), self.plan.contexts, f"job {self.job.id}")
        if group is None:
            await self._pass_gate_and_work()
            return
        try:
            await self._enter(group)
            await self._pass_gate_and_work()
        finally:
            self._floor.lanes.leave(self._run.repository, group)

    async def _enter(self, group: Request) -> None:
        if self._floor.lanes.holder(self._run.repository, group.group) == f"run {self._run.id}":
            raise Refused(
                f"Canceling since a deadlock was detected for concurrency group: '{group.group}' between a top level "
                f"workflow and '{self.job.name}'"
            )
        if self._floor.lanes.holder(self._run.repository, group.group) is not None:
            self._set("pending")
        await self._floor.lanes.enter(self._run.repository, group, self.cancel)

    async def _pass_gate_and_work(self) -> None:
        unplayable = planning.unplayable(self.spec, self.plan, self._floor.shop.settings)
        if unplayable is not None:
            raise Refused(unplayable)
        if self.job.environment is not None:
            await self._pass_gate(self.job.environment)
        self._set("queued")
        async with self._floor.slots:
            self._execution = JobExecution(self._floor.shop, self._assignment(), self._changed)
            await self._execution.run()

    async def _pass_gate(self, environment: str) -> None:
        rules = self._floor.shop.hub.environment(self._run.repository, environment)
        reason = environments.refusal(rules, self._run.event.ref)
        if reason is not None:
            raise Refused(reason)
        starter = self._run.triggering_actor or self._run.event.actor
        gate = Gate(rules=rules, since=self._floor.shop.clock.now(), starter=starter)
        await self._gates.pass_through(self.job, gate, self._changed)

    def _assignment(self) -> Assignment:
        hub, run = self._floor.shop.hub, self._run
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
        hub, repository = self._floor.shop.hub, self._run.repository
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
        self._floor.changed(self._run, job)

    def _complain(self, message: str) -> None:
        if message:
            self.job.annotations.append(Annotation(level="failure", message=message, path=".github", start_line=1))

    def _complete(self) -> None:
        self.job.status = "completed"
        self.job.completed_at = self._floor.shop.clock.now()
        if self.job.conclusion == "failure" and self.team.fail_fast and not self.job.tolerated:
            for sibling in self.team.members:
                if sibling is not self:
                    sibling.cancel("Canceled because another job of the matrix failed (strategy.fail-fast).")
