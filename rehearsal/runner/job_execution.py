"""Carry out one job: give act its folder, follow its log, keep its limits, take its outputs, leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from rehearsal.runner import artifacts, derive, differences, draining, job_files, oidc, steps, watchdog
from rehearsal.runner.act import ActProcess, Invocation
from rehearsal.runner.actions import ActionResolver, Resolution, checkouts
from rehearsal.runner.clock import Clock
from rehearsal.runner.expressions import Scope
from rehearsal.runner.hub import Hub
from rehearsal.runner.log import LogReader, News
from rehearsal.runner.masking import Masker
from rehearsal.runner.mirrors import Source
from rehearsal.runner.model import Annotation, Job, Run
from rehearsal.runner.settings import Settings
from rehearsal.runner.workflow import JobSpec, Workflow

_LOG_INTERVAL = 0.1
"""Seconds within which new lines of a log are one change."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One job, ready to start: everything is decided and allowed."""

    run: Run
    job: Job
    spec: JobSpec
    workflow: Workflow
    inputs: Mapping[str, Any] | None
    """Of a called workflow; None for a job of the run's own file."""
    needs: Mapping[str, Any]
    contexts: Mapping[str, Any]
    """For the names of steps."""
    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    permissions: Mapping[str, str]
    timeout_minutes: float


@dataclass(frozen=True, kw_only=True)
class JobServices:
    """What every job of a runner shares."""

    hub: Hub
    settings: Settings
    clock: Clock
    tokens: oidc.TokenService
    resolver: ActionResolver
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Carried by every process of every job, so that the watchdog finds them."""


class JobExecution:
    """One job through one act process. `run` returns when it is over; `cancel` may be called at any time."""

    def __init__(self, services: JobServices, assignment: Assignment, changed: Callable[[Job], None]) -> None:
        self._services = services
        self._assignment = assignment
        self._changed = changed
        self._stop = asyncio.Event()
        self._stopped_by = "The operation was canceled."
        self._folder = services.settings.root / "jobs" / f"{assignment.job.id}-{uuid.uuid4().hex[:8]}"
        self._process: ActProcess | None = None
        self._notifying = False

    def cancel(self, reason: str = "The run was canceled.") -> None:
        """End the job: its `always()` and `cancelled()` steps still run, within the grace period."""
        self._stopped_by = reason
        self._stop.set()

    def kill(self) -> None:
        """End the job's processes at once."""
        self._stop.set()
        if self._process is not None:
            self._process.kill()

    async def run(self) -> None:
        """Fills in the job; its conclusion is set when this returns."""
        job = self._assignment.job
        token = self._services.hub.job_token(
            self._assignment.run.repository, dict(self._assignment.permissions), self._assignment.run, job
        )
        reader = self._reader(token)
        job.status, job.started_at = "in_progress", self._services.clock.now()
        self._changed(job)
        try:
            conclusion = await self._perform(reader, token)
        finally:
            self._services.hub.retire_token(token)
            self._services.tokens.retire(job.id)
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        reader.close(conclusion)
        artifacts.collect(
            self._assignment.run, job, self._services.settings.root / "artifacts", self._services.clock.now()
        )
        job.conclusion = conclusion

    def _reader(self, token: str) -> LogReader:
        assignment = self._assignment
        masker = Masker([*assignment.secrets.values(), token])
        plan = steps.plan(assignment.spec, _step_contexts(assignment, token))
        return LogReader(assignment.job, assignment.spec.key, plan, masker, self._services.clock.now, self._spent)

    def _spent(self) -> float:
        return 0.0 if self._process is None else self._process.spent()

    async def _perform(self, reader: LogReader, token: str) -> str:
        assignment = self._assignment
        resolution = await self._resolve()
        self._write_header(reader, resolution)
        for problem in resolution.problems:
            reader.fail(problem)
        if resolution.problems:
            return "failure"
        collect = derive.collection(assignment.spec, str(self._folder / "outputs"))
        self._files(collect, token).write(self._folder)
        if self._stop.is_set():
            reader.fail(self._stopped_by)
            return "cancelled"
        process = self._process = ActProcess(self._invocation(resolution))
        await process.start()
        stopped = await self._follow(process, reader)
        code, complaints = await process.finish()
        self._take_outputs(reader, collect)
        return self._conclusion(reader, stopped, code, complaints)

    async def _resolve(self) -> Resolution:
        """Find the job's actions, reading repositories with tokens that may do only that."""
        hub, run, job = self._services.hub, self._assignment.run, self._assignment.job
        sources: dict[str, Source] = {}

        def source_of(repository: str) -> Source:
            if repository not in sources:
                try:
                    url, token = hub.clone_url(repository), hub.job_token(repository, {"contents": "read"}, run, job)
                except Exception as error:  # however this Hub says that it holds no such repository
                    raise LookupError(str(error)) from error
                sources[repository] = Source(repository=repository, url=url, token=token)
            return sources[repository]

        steps = self._assignment.spec.steps
        scope = Scope(contexts=self._assignment.contexts)
        try:
            workspace = checkouts(steps, scope, run.repository, run.event.sha)
            return await self._services.resolver.resolve(steps, workspace, source_of)
        finally:
            for source in sources.values():
                hub.retire_token(source.token)

    def _write_header(self, reader: LogReader, resolution: Resolution) -> None:
        allowed = sorted(self._assignment.permissions.items())
        lines = [
            "Current runner: act on this machine, in a rehearsal",
            "##[group]GITHUB_TOKEN Permissions",
            *(f"{_words(scope)}: {level}" for scope, level in allowed),
            "##[endgroup]",
            *resolution.notes,
            *differences.notes(self._assignment.spec),
        ]
        reader.note("\n".join(lines))

    def _files(self, collect: derive.Collection, token: str) -> job_files.JobFiles:
        assignment, hub = self._assignment, self._services.hub
        run, job = assignment.run, assignment.job
        server_url, api_url = hub.server_url(), hub.api_url()
        env = job_files.environment(
            run,
            self._services.settings,
            self._folder,
            clone_url=hub.clone_url(run.repository),
            server_url=server_url,
            api_url=api_url,
        )
        if assignment.permissions.get("id-token") == "write":
            called = None if assignment.inputs is None else assignment.workflow.path
            claims = oidc.claims(run, job, called_workflow=called, server_url=server_url)
            env |= self._services.tokens.grant(job.id, claims).environment()
        env[watchdog.MARK] = self._services.mark
        return job_files.JobFiles(
            workflow=derive.files(
                assignment.workflow,
                assignment.spec,
                event=run.event.name,
                run_name=run.workflow_name,
                matrix=job.matrix,
                needs=assignment.needs,
                inputs=assignment.inputs,
                collect=collect,
            ),
            event=run.event.payload,
            secrets={**assignment.secrets, "GITHUB_TOKEN": token},
            variables=assignment.variables,
            env=env,
        )

    def _invocation(self, resolution: Resolution) -> Invocation:
        event = self._assignment.run.event
        return Invocation(
            act=self._services.settings.act,
            folder=self._folder,
            event=event.name,
            actor=event.actor,
            actions=resolution.folders,
            mark=f"{self._assignment.job.id}-{uuid.uuid4().hex}",
        )

    async def _follow(self, process: ActProcess, reader: LogReader) -> str | None:
        """Read the log until act ends; why it was stopped, if it was."""
        reading = asyncio.create_task(self._read(process, reader))
        limit = timedelta(minutes=self._assignment.timeout_minutes)
        deadline = asyncio.create_task(self._services.clock.until(self._services.clock.now() + limit))
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({reading, deadline, stop}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                await reading
                return None
            process.interrupt()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(reading), self._services.settings.cancel_grace)
            return self._stopped_by if self._stop.is_set() else self._timed_out()
        finally:
            deadline.cancel()
            stop.cancel()
            if not reading.done():
                process.kill()
            await asyncio.gather(reading, deadline, stop, return_exceptions=True)

    def _timed_out(self) -> str:
        minutes = self._assignment.timeout_minutes
        return (
            f"The job has exceeded the maximum execution time of {minutes:g} minutes (timeout-minutes of "
            f"jobs.{self._assignment.spec.key} in {self._assignment.workflow.path})."
        )

    async def _read(self, process: ActProcess, reader: LogReader) -> None:
        async for line in process.lines():
            news = reader.feed(line)
            if news is News.STATE:
                self._changed(self._assignment.job)
            elif news is News.LOG:
                self._notify_soon()
            elif news is News.ENDING:
                draining.answer(self._folder)

    def _notify_soon(self) -> None:
        """Many lines at once are one change."""
        if not self._notifying:
            self._notifying = True
            asyncio.get_running_loop().call_later(_LOG_INTERVAL, self._notify)

    def _notify(self) -> None:
        self._notifying = False
        if self._assignment.job.status == "in_progress":
            self._changed(self._assignment.job)

    def _take_outputs(self, reader: LogReader, collect: derive.Collection) -> None:
        """Outputs that hold a secret are dropped with a warning, as on GitHub."""
        file = Path(collect.path)
        if not file.exists():
            return
        job = self._assignment.job
        outputs, url = collect.read(file.read_text())
        for name, value in outputs.items():
            if reader.masker.reveals(value):
                warning = f"Skip output '{name}' since it may contain secret."
                job.annotations.append(Annotation(level="warning", message=warning, path=".github"))
                reader.write(job.steps[-1], f"##[warning]{warning}")
            else:
                job.outputs[name] = value
        job.environment_url = reader.masker.mask(url)

    def _conclusion(self, reader: LogReader, stopped: str | None, code: int, complaints: str) -> str:
        if stopped is not None:
            reader.fail(stopped)
            return "cancelled"
        if reader.result is None:
            reader.fail(_end_of_act(code, complaints))
            return "failure"
        return "success" if reader.result == "success" else "failure"


def _step_contexts(assignment: Assignment, token: str) -> dict[str, Any]:
    """What the expressions of steps can see before the job runs. With its secrets: what is made of it is masked."""
    contexts = assignment.contexts
    return {
        **contexts,
        "github": {**contexts["github"], "token": token, "job": assignment.spec.key},
        "secrets": {**assignment.secrets, "GITHUB_TOKEN": token},
        "vars": assignment.variables,
    }


def _words(scope: str) -> str:
    return "".join(word.capitalize() for word in scope.split("-"))


def _end_of_act(code: int, complaints: str) -> str:
    """Why act ended without a result for the job."""
    if code < 0:
        return (
            f"The runner was lost: act was ended by signal {-code} from outside. What it had started was ended too. "
            "Run the job again."
        )
    text = "\n".join(line for line in complaints.splitlines() if "docker connection" not in line).strip()
    return f"act could not run this job (exit code {code}): {text or 'it gave no reason'}"
