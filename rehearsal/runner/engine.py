"""GitHub Actions on this machine: events in, runs out. Each job is carried out by a process of `act`."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from rehearsal.runner import artifacts, inputs, seeded_run, titles, triggers
from rehearsal.runner.actions import ActionResolver
from rehearsal.runner.clock import Clock, SystemClock
from rehearsal.runner.concurrency_queue import ConcurrencyQueue
from rehearsal.runner.graph import Graph, kept_by_rerun
from rehearsal.runner.hub import Hub, InputError, NotAllowed, Runner
from rehearsal.runner.mirrors import Mirrors
from rehearsal.runner.model import Event, Job, PendingReview, Review, Run
from rehearsal.runner.oidc import TokenService
from rehearsal.runner.run_attempt import RunAttempt
from rehearsal.runner.scheduled_job import RunnerServices
from rehearsal.runner.settings import Settings
from rehearsal.runner.watchdog import Watchdog
from rehearsal.runner.workflow import Workflow, WorkflowError, is_workflow, parse

Listener = Callable[[Run, Job | None], None]


class ActRunner:
    """The `Runner` of an emulated GitHub. `start` before the first event, `stop` at the end; all on one event loop."""

    def __init__(self, hub: Hub, settings: Settings, clock: Clock | None = None) -> None:
        self.runs: dict[int, Run] = {}
        self.on_change: list[Listener] = []
        """Called, like `Hub.run_changed`, whenever something about a run changes. Must not block."""
        self._hub = hub
        self._settings = settings
        self.jobs = settings.root / "jobs"
        """Where each job has a folder of its own, named by its id, while it runs."""
        self._clock = clock or SystemClock()
        self._tokens = TokenService(hub.sign_oidc)
        self._attempts: dict[int, RunAttempt] = {}
        self._files: dict[int, dict[str, str]] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._last_run, self._last_job = 1_000, 10_000
        mirrors = Mirrors(settings.root / "mirrors", settings.path)
        self._services = RunnerServices(
            hub=hub,
            settings=settings,
            clock=self._clock,
            tokens=self._tokens,
            resolver=ActionResolver(mirrors),
            queue=ConcurrencyQueue(),
            slots=asyncio.Semaphore(settings.max_jobs),
            new_job_id=self._new_job_id,
            changed=self._changed,
        )
        self._watchdog = Watchdog(self._services.mark, self.jobs)

    async def start(self) -> None:
        """Listen for jobs that ask for OIDC tokens, and watch over what jobs start."""
        self._settings.root.mkdir(parents=True, exist_ok=True)
        await self._watchdog.start()
        await self._tokens.start()

    async def emit(self, event: Event) -> list[Run]:
        """Start every workflow that the event starts, by the files at its commit; returns at once."""
        if triggers.suppressed(event) or self._chained(event) > triggers.MAX_CHAIN:
            return []
        off = self._hub.disabled_workflows(event.repository)
        files = {path: text for path, text in (await self._workflow_files(event)).items() if path not in off}
        changed: list[str] | None = None
        asked = False
        runs = []
        for path in files:
            workflow = _parsed(path, files)
            if isinstance(workflow, WorkflowError):
                if event.name in ("push", "pull_request"):
                    runs.append(self._failure(event, path, files, workflow))
                continue
            if triggers.needs_paths(workflow, event) and not asked:
                changed, asked = await self._changed_paths(event), True
            if triggers.starts(workflow, event, changed):
                runs.append(self._begin(event, workflow, files, {}))
        return runs

    async def dispatch(self, event: Event, workflow_path: str) -> Run:
        """Start one workflow. Raises InputError, also for a file that is not there or cannot be dispatched."""
        files = await self._workflow_files(event)
        if workflow_path not in files:
            known = ", ".join(sorted(files)) or "none"
            raise InputError(f"There is no workflow {workflow_path} at {event.ref}. Workflows there: {known}")
        try:
            workflow = parse(workflow_path, files[workflow_path])
        except WorkflowError as error:
            raise InputError(str(error)) from error
        if "workflow_dispatch" not in workflow.on:
            raise InputError(f"Workflow does not have 'workflow_dispatch' trigger: {workflow_path} at {event.ref}")
        declared = workflow.inputs("workflow_dispatch")
        texts = inputs.dispatched(declared, event.payload.get("inputs") or {})
        event = dataclasses.replace(event, payload={**event.payload, "inputs": texts, "workflow": workflow_path})
        return self._begin(event, workflow, files, inputs.typed_all(declared, texts))

    async def seed_run(self, event: Event, workflow_path: str, matrix_jobs: Sequence[str]) -> Run:
        """Seed a run that had succeeded before the world started. Nothing of it is carried out, and its log says so.

        Its jobs are those of the file at the event's commit; `matrix_jobs` are the names of those of a matrix. Raises KeyError
        when there is no such file, WorkflowError when it cannot be read.
        """
        files = await self._workflow_files(event)
        workflow = parse(workflow_path, files[workflow_path])
        run = self._new_run(event, workflow.path, workflow.name, files)
        run.title = titles.title(workflow, event, self._hub.server_url(), run, {})
        run.jobs = seeded_run.jobs(run, workflow, matrix_jobs, self._new_job_id)
        run.started_at, run.status, run.conclusion = run.created_at, "completed", "success"
        self._changed(run, None)
        return run

    def pending(self, run_id: int) -> list[PendingReview]:
        """Environments that a run waits for. Raises KeyError for an unknown run."""
        self._run(run_id)
        return self._attempts[run_id].gates.pending() if run_id in self._attempts else []

    async def review(self, run_id: int, environments: list[str], state: str, user: str, comment: str) -> None:
        """Approve or reject. Raises InputError for what does not wait, NotAllowed for who may not."""
        run = self._run(run_id)
        if run_id not in self._attempts:
            raise InputError(f"Run {run_id} is {run.status}: no job of it waits for a review")
        self._attempts[run_id].gates.answer(environments, state, user)
        self._add_review(run, environments, state, user, comment)

    async def bypass(self, run_id: int, environments: list[str], user: str, comment: str) -> None:
        """Let jobs go that wait, without a review and before their timers end. Raises InputError for what does not wait."""
        run = self._run(run_id)
        if run_id not in self._attempts:
            raise InputError(f"Run {run_id} is {run.status}: no job of it waits")
        self._attempts[run_id].gates.bypass(environments)
        self._add_review(run, environments, "skipped", user, comment)

    def _add_review(self, run: Run, environments: list[str], state: str, user: str, comment: str) -> None:
        run.reviews.append(
            Review(environments=environments, state=state, user=user, comment=comment, at=self._clock.now())
        )
        self._changed(run, None)

    async def cancel(self, run_id: int) -> None:
        """Raises InputError for a run that is completed."""
        run = self._run(run_id)
        if run_id not in self._attempts:
            raise InputError(f"Run {run_id} is {run.status}: there is nothing to cancel")
        self._attempts[run_id].cancel()

    async def wait(self, run_id: int) -> Run:
        """Until a run is completed and nothing of it runs any more."""
        while (attempt := self._attempts.get(run_id)) is not None:
            await attempt.wait()
        return self._run(run_id)

    async def rerun(self, run_id: int, *, failed_only: bool, actor: str) -> Run:
        """A new attempt under the same id. Raises NotAllowed while the run is not completed, InputError when
        `failed_only` finds nothing that failed."""
        run = self._run(run_id)
        if run.status != "completed":
            raise NotAllowed(f"Run {run_id} is {run.status}: it can be run again once it is completed")
        workflow = parse(run.workflow_path, self._files[run_id][run.workflow_path])
        # The graph of the finished attempt, rebuilt from its jobs, tells what depends on what failed.
        finished = RunAttempt(
            self._services, run, self._graph(workflow, run.event), self._files[run_id], run.latest_jobs()
        )
        kept = kept_by_rerun(finished.replay(), failed_only=failed_only)
        jobs = run.latest_jobs()
        if failed_only and all((job.key, job.name) in kept or job.conclusion == "skipped" for job in jobs) and jobs:
            raise InputError(f"Run {run_id} has no failed job to run again")
        for job in jobs:
            job.superseded = (job.key, job.name) not in kept
        if not failed_only:
            # GitHub drops the artifacts of earlier attempts once every job is run again.
            artifacts.discard(self._settings.root / "artifacts", run)
        run.attempt += 1
        run.triggering_actor = actor
        run.status, run.conclusion, run.error = "queued", None, ""
        self._start_attempt(
            run, workflow, self._graph(workflow, run.event), [job for job in jobs if not job.superseded]
        )
        return run

    def delete(self, run_id: int) -> None:
        """Forget a run with its logs and artifacts. Raises NotAllowed while it is not completed."""
        run = self._run(run_id)
        if run.status != "completed" or run_id in self._attempts:
            raise NotAllowed(f"Run {run_id} is {run.status}: it can be deleted once it is completed")
        artifacts.discard(self._settings.root / "artifacts", run)
        del self.runs[run_id], self._files[run_id]

    def delete_artifact(self, run_id: int, artifact_id: int) -> None:
        """Remove one artifact of a run. Raises KeyError for an unknown run."""
        run = self._run(run_id)
        for one in [one for one in run.artifacts if one.id == artifact_id]:
            artifacts.discard(self._settings.root / "artifacts", run, one)

    async def stop(self) -> None:
        """Kill everything and reap what is left."""
        attempts = list(self._attempts.values())
        for attempt in attempts:
            attempt.kill()
        for attempt in attempts:
            await attempt.wait()
        await self._tokens.stop()
        await self._watchdog.stop()

    def save(self) -> dict[str, Any]:
        """All runs, JSON-ready. Raises RuntimeError while a job is at work: a process cannot be saved."""
        for run in self.runs.values():
            busy = [job.name for job in run.jobs if job.status == "in_progress"]
            if busy:
                raise RuntimeError(f"run {run.id} cannot be saved while it works on {', '.join(busy)}")
        return {
            "runs": [msgspec.to_builtins(run) for run in self.runs.values()],
            "files": {str(run_id): files for run_id, files in self._files.items()},
            "numbers": [[*key, number] for key, number in self._numbers.items()],
            "last": [self._last_run, self._last_job],
            "artifacts": artifacts.pack(self._settings.root / "artifacts"),
        }

    def load(self, saved: Mapping[str, Any]) -> None:
        """Replace all runs; those that waited wait again."""
        self.runs = {run["id"]: msgspec.convert(run, Run) for run in saved["runs"]}
        self._files = {int(run_id): dict(files) for run_id, files in saved["files"].items()}
        self._numbers = {(repository, path): number for repository, path, number in saved["numbers"]}
        self._last_run, self._last_job = saved["last"]
        artifacts.unpack(saved["artifacts"], self._settings.root / "artifacts", self.runs.values())
        for run in self.runs.values():
            if run.status != "completed":
                workflow = parse(run.workflow_path, self._files[run.id][run.workflow_path])
                self._start_attempt(run, workflow, self._graph(workflow, run.event), run.latest_jobs())

    def _chained(self, event: Event) -> int:
        """How many runs, each started by the one before it, led to this event."""
        length = 0
        source: Event | None = event
        while source is not None and source.name == "workflow_run":
            length += 1
            run = self.runs.get((source.payload.get("workflow_run") or {}).get("id", 0))
            source = None if run is None else run.event
        return length

    async def _workflow_files(self, event: Event) -> dict[str, str]:
        files = await self._hub.workflow_files(event.repository, event.sha)
        return {path: text for path, text in sorted(files.items()) if is_workflow(path)}

    async def _changed_paths(self, event: Event) -> list[str] | None:
        pull = event.payload.get("pull_request")
        if pull:
            before, after = pull["base"]["sha"], pull["head"]["sha"]
        else:
            before, after = str(event.payload.get("before", "")), event.sha
        if not before.strip("0"):
            return None
        return await self._hub.changed_paths(event.repository, before, after)

    def _begin(self, event: Event, workflow: Workflow, files: dict[str, str], values: Mapping[str, Any]) -> Run:
        run = self._new_run(event, workflow.path, workflow.name, files)
        run.title = titles.title(workflow, event, self._hub.server_url(), run, values)
        self._start_attempt(run, workflow, Graph(workflow=workflow, inputs=values), [])
        self._changed(run, None)
        return run

    def _failure(self, event: Event, path: str, files: dict[str, str], error: WorkflowError) -> Run:
        """On GitHub a file that cannot be read is a failed run without jobs."""
        run = self._new_run(event, path, path, files)
        run.status, run.conclusion, run.error = "completed", "startup_failure", str(error)
        self._changed(run, None)
        return run

    def _new_run(self, event: Event, path: str, name: str, files: dict[str, str]) -> Run:
        self._last_run += 1
        key = (event.repository, path)
        self._numbers[key] = self._numbers.get(key, 0) + 1
        now = self._clock.now()
        run = Run(
            id=self._last_run,
            number=self._numbers[key],
            repository=event.repository,
            workflow_path=path,
            workflow_name=name,
            title=name,
            event=event,
            head_branch=titles.head_branch(event),
            head_sha=titles.head_sha(event),
            created_at=now,
            updated_at=now,
            triggering_actor=event.actor,
        )
        self.runs[run.id] = run
        self._files[run.id] = files
        return run

    def _graph(self, workflow: Workflow, event: Event) -> Graph:
        texts = event.payload.get("inputs") or {} if event.name == "workflow_dispatch" else {}
        return Graph(workflow=workflow, inputs=inputs.typed_all(workflow.inputs("workflow_dispatch"), texts))

    def _start_attempt(self, run: Run, workflow: Workflow, graph: Graph, pool: list[Job]) -> None:
        attempt = RunAttempt(self._services, run, graph, self._files[run.id], pool)
        self._attempts[run.id] = attempt
        attempt.start()

    def _changed(self, run: Run, job: Job | None) -> None:
        run.updated_at = self._clock.now()
        if run.status == "completed":
            self._attempts.pop(run.id, None)
        else:
            run.status = titles.status(run)
        self._hub.run_changed(run, job)
        for listener in self.on_change:
            listener(run, job)

    def _new_job_id(self) -> int:
        self._last_job += 1
        return self._last_job

    def _run(self, run_id: int) -> Run:
        if run_id not in self.runs:
            raise KeyError(f"there is no run {run_id}")
        return self.runs[run_id]


def _parsed(path: str, files: Mapping[str, str]) -> Workflow | WorkflowError:
    try:
        return parse(path, files[path])
    except WorkflowError as error:
        return error


_: type[Runner] = ActRunner
