"""One attempt of a run: start what is ready, wait where GitHub waits, until every job has a result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from rehearsal.runner import concurrency_queue, contexts, planning
from rehearsal.runner.concurrency import Request
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.gates import Gates
from rehearsal.runner.graph import Graph, MatrixJob, should_run
from rehearsal.runner.model import Annotation, Job, Run
from rehearsal.runner.planning import MatrixJobPlan
from rehearsal.runner.scheduled_job import MatrixGroup, RunnerServices, ScheduledJob
from rehearsal.runner.workflow import JobSpec, WorkflowError

_log = logging.getLogger(__name__)


class RunAttempt:
    """One attempt of one run. `pool` are jobs of earlier attempts, or of a saved world, to take over by key and name."""

    def __init__(
        self, services: RunnerServices, run: Run, graph: Graph, files: Mapping[str, str], pool: list[Job]
    ) -> None:
        self.run = run
        self.graph = graph
        self.files = files
        self.gates = Gates(services.clock)
        self._services = services
        self._pool = {(job.key, job.name): job for job in pool}
        self._jobs: list[ScheduledJob] = []
        self._called_workflows: dict[int, asyncio.Task[None]] = {}
        """Of called workflows with concurrency groups, by the identity of their graph."""
        self._done = asyncio.Event()
        self._progressed = asyncio.Event()
        """Set, and replaced, whenever something was decided or ended."""
        self._killed = False
        self._replaying = False
        self._failure = self._cancelled_for = ""
        self._main: asyncio.Task[None] | None = None
        self._entering: asyncio.Task[None] | None = None
        hub = services.hub
        self._github = contexts.github(run, server_url=hub.server_url(), api_url=hub.api_url())

    def start(self) -> None:
        self._main = asyncio.create_task(self._run(), name=f"run {self.run.id}")

    def replay(self) -> Graph:
        """The graph of an attempt that is over, rebuilt from its jobs; nothing is started or announced."""
        self._replaying = True
        self._advance()
        return self.graph

    async def wait(self) -> None:
        """Until the run is completed and nothing of it runs."""
        if self._main is not None:
            await asyncio.wait({self._main})

    def cancel(self, reason: str = "The run was canceled.") -> None:
        """As a person does: jobs whose `if` still holds go on, the others end."""
        if self.run.status == "completed":
            return
        self._cancelled_for = self._cancelled_for or reason
        self._cancel_graph(self.graph, reason)
        if self._entering is not None:
            self._entering.cancel()
        self._advance()

    def kill(self) -> None:
        """End every process of this run at once; nothing more starts."""
        self._killed = self.graph.cancelled = True
        for scheduled in self._jobs:
            scheduled.kill()
        for task in [*self._called_workflows.values(), *([self._entering] if self._entering else [])]:
            task.cancel()
        self._done.set()

    async def _run(self) -> None:
        group: Request | None = None
        try:
            variables = self._services.hub.variables(self.run.repository, None)
            seen = {"github": self._github, "vars": variables, "inputs": self.graph.inputs}
            group = concurrency_queue.request(self.graph.workflow.raw.get("concurrency"), seen, f"run {self.run.id}")
            if group is None or await self._admitted(group):
                self.run.started_at = self._services.clock.now()
                self._advance()
                await self._done.wait()
        except ExpressionError as error:
            self._failure = f"{self.graph.workflow.path}: concurrency: {error}"
        except Exception as error:
            _log.exception("run %s ended early", self.run.id)
            self._failure = f"The runner failed: {error!r}"
        for scheduled in self._jobs:
            await scheduled.wait()
        if group is not None:
            self._services.queue.release(self.run.repository, group)
        self._finish()

    async def _admitted(self, group: Request) -> bool:
        """Wait for the workflow's concurrency group; False when the run was cancelled before it came."""
        if self._services.queue.holder(self.run.repository, group.group) is not None:
            self.run.status = "pending"
            self._services.changed(self.run, None)
        self._entering = asyncio.create_task(self._services.queue.acquire(self.run.repository, group, self.cancel))
        await asyncio.wait({self._entering})
        admitted = not self._entering.cancelled()
        self._entering = None
        return admitted and not self.graph.cancelled

    def _finish(self) -> None:
        now = self._services.clock.now()
        result = self.graph.result()
        conclusion = result or "cancelled"
        if self.graph.cancelled and conclusion in ("success", "skipped"):
            conclusion = "cancelled"
        self.run.status, self.run.updated_at = "completed", now
        self.run.conclusion = "startup_failure" if self._failure else conclusion
        self.run.error = self._failure or self._cancelled_for
        self._services.changed(self.run, None)

    def _advance(self) -> None:
        """Decide every job that can be decided; deciding one (skipped, kept from before) may free the next."""
        if self._killed or (self._entering is not None):
            return
        progress = True
        while progress:
            progress = False
            for graph in list(self.graph.walk()):
                for key in graph.ready():
                    self._decide(graph, key)
                    progress = True
        self._progressed.set()
        self._progressed = asyncio.Event()
        if self.graph.result() is not None:
            self._done.set()

    def _decide(self, graph: Graph, key: str) -> None:
        spec = graph.workflow.jobs[key]
        variables = self._services.hub.variables(self.run.repository, None)
        seen = contexts.for_job(graph, key, github_context=self._github, variables=variables)
        try:
            name = planning.skipped_name(graph, key, seen)
            if self._replaying and (graph.key_prefix + key, name) in self._pool and not spec.strategy:
                graph.matrix_jobs[key] = [MatrixJob(job=self._pool.pop((graph.key_prefix + key, name)))]
                return
            if not should_run(graph, key, seen, cancelled=graph.is_cancelled()):
                self._skip(graph, key, seen)
                return
            expansion = planning.expand(graph, key, seen, self._services.settings)
            matrix_group = MatrixGroup(turns=asyncio.Semaphore(expansion.max_parallel), fail_fast=expansion.fail_fast)
            if spec.calls:
                graph.matrix_jobs[key] = [self._call(graph, spec, plan) for plan in expansion.plans]
            else:
                graph.matrix_jobs[key] = [self._matrix_job(graph, spec, plan, matrix_group) for plan in expansion.plans]
        except (ExpressionError, WorkflowError) as error:
            self._refuse(graph, key, str(error))
        except Exception as error:  # an undecided job would keep its run open for ever
            _log.exception("job %s of run %s could not be decided", key, self.run.id)
            self._refuse(graph, key, f"The runner failed: {error!r}")

    def _skip(self, graph: Graph, key: str, seen: Mapping[str, Any]) -> None:
        cancelled = graph.is_cancelled() and should_run(graph, key, seen, cancelled=False)
        job = self._completed_job(
            graph, key, planning.skipped_name(graph, key, seen), "cancelled" if cancelled else "skipped"
        )
        graph.matrix_jobs[key] = [MatrixJob(job=job)]

    def _refuse(self, graph: Graph, key: str, message: str) -> None:
        job = self._completed_job(graph, key, graph.name_prefix + key, "failure")
        job.annotations = [Annotation(level="failure", message=message, path=graph.workflow.path, start_line=1)]
        graph.matrix_jobs[key] = [MatrixJob(job=job)]

    def _completed_job(self, graph: Graph, key: str, name: str, conclusion: str) -> Job:
        """A job that is completed without being started."""
        job = self._pool.pop((graph.key_prefix + key, name), None) or self._new_job(graph, key, name)
        now = self._services.clock.now()
        job.status, job.conclusion = "completed", conclusion
        job.started_at, job.completed_at = job.started_at or now, job.completed_at or now
        if not self._replaying:
            self._services.changed(self.run, job)
        return job

    def _new_job(self, graph: Graph, key: str, name: str) -> Job:
        number = self._services.new_job_id()
        job = Job(
            id=number,
            check_run_id=number,
            run_id=self.run.id,
            attempt=self.run.attempt,
            key=graph.key_prefix + key,
            name=name,
            needs=[graph.key_prefix + need for need in graph.workflow.jobs[key].needs],
            created_at=self._services.clock.now(),
        )
        if not self._replaying:
            self.run.jobs.append(job)
        return job

    def _matrix_job(self, graph: Graph, spec: JobSpec, plan: MatrixJobPlan, matrix_group: MatrixGroup) -> MatrixJob:
        job = self._pool.pop((graph.key_prefix + spec.key, plan.name), None)
        if job is not None and job.status == "completed":
            return MatrixJob(job=job)
        if self._replaying:
            return MatrixJob(job=self._completed_job(graph, spec.key, plan.name, "cancelled"))
        job = job or self._new_job(graph, spec.key, plan.name)
        job.matrix, job.labels = dict(plan.matrix), list(plan.labels)
        job.environment, job.makes_deployment = plan.environment, plan.makes_deployment
        job.tolerated = plan.tolerated
        scheduled = ScheduledJob(
            self._services, self.run, self.gates, graph=graph, spec=spec, plan=plan, job=job, matrix_group=matrix_group
        )
        self._jobs.append(scheduled)
        scheduled.start(self._ended)
        self._services.changed(self.run, job)
        return MatrixJob(job=job)

    def _ended(self, scheduled: ScheduledJob) -> None:
        self._services.changed(self.run, scheduled.job)
        self._advance()

    def _call(self, graph: Graph, spec: JobSpec, plan: MatrixJobPlan) -> MatrixJob:
        inner = planning.call(graph, spec, plan, self.files, from_fork=self.run.event.from_fork)
        seen = {**plan.contexts, "inputs": inner.inputs}
        wanted = (
            concurrency_queue.request(
                spec.raw.get("concurrency"), plan.contexts, f"call {self.run.id} {inner.name_prefix}"
            ),
            concurrency_queue.request(
                inner.workflow.raw.get("concurrency"), seen, f"called {self.run.id} {inner.name_prefix}"
            ),
        )
        groups = [group for group in wanted if group is not None]
        if groups and not self._replaying:
            inner.started = False
            self._called_workflows[id(inner)] = asyncio.create_task(self._hold_groups(inner, groups))
        return MatrixJob(inner=inner)

    async def _hold_groups(self, inner: Graph, groups: list[Request]) -> None:
        """Hold the concurrency groups of a called workflow while its jobs run."""
        try:
            for group in groups:
                cancel = partial(self._cancel_called, inner)
                await self._services.queue.acquire(self.run.repository, group, cancel)
            inner.started = True
            self._advance()
            while inner.result() is None:
                await self._progressed.wait()
        finally:
            for group in groups:
                self._services.queue.release(self.run.repository, group)

    def _cancel_called(self, inner: Graph, reason: str) -> None:
        self._cancel_graph(inner, reason)
        self._advance()

    def _cancel_graph(self, graph: Graph, reason: str) -> None:
        """Cancel the jobs of a graph whose `if` does not hold for a cancelled run."""
        graph.cancelled = True
        within = list(graph.walk())
        for waiting in [inner for inner in within if not inner.started]:
            waiting.started = True
            self._called_workflows[id(waiting)].cancel()
        for scheduled in [scheduled for scheduled in self._jobs if scheduled.graph in within]:
            if not should_run(scheduled.graph, scheduled.spec.key, scheduled.plan.contexts, cancelled=True):
                scheduled.cancel(reason)
