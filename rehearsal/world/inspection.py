"""What a world shows to the report and for debugging: runs to the millisecond, messages, deployments, traffic, memory."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.github.identity import Identity
from rehearsal.github.problems import Problem
from rehearsal.github.runs.service import workflows
from rehearsal.journal import Journal
from rehearsal.runner.model import Job, Run, Step
from rehearsal.world import provision, snapshot

FAILED = ("failure", "timed_out")
LOG_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ?")


class Inspected(snapshot.Whole, Protocol):
    """What of a world can be looked at."""

    journal: Journal
    over: asyncio.Event


class Inspection:
    """`/_world/runs?log=LINES`, `/_world/logs`, `/_world/traffic-changes`, `/_world/messages`, `/_world/deployments?release=`,
    `/_world/memory`, and POST `/_world/jobs/{id}/kill`, `/_world/due?workflow=FILE`, `/_world/save` and `/_world/stop`."""

    def __init__(self, world: Inspected) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/_world/runs", self._answers(self._runs)),
            Route("/_world/logs", self._answers(lambda request: self._logs())),
            Route("/_world/traffic-changes", self._answers(lambda request: self._traffic_changes())),
            Route("/_world/messages", self._answers(lambda request: self._world.emulators.notifications())),
            Route(
                "/_world/deployments",
                self._answers(lambda request: self._world.emulators.deployments_of(request.query_params["release"])),
            ),
            Route("/_world/memory", self._answers(lambda request: {"resident_kb": resident_kb(os.getpid())})),
            Route(
                "/_world/jobs/{job:int}/kill",
                self._answers(
                    lambda request: {"killed": kill_act(self._world.runner.jobs, request.path_params["job"])}
                ),
                methods=["POST"],
            ),
            Route("/_world/due", self._due, methods=["POST"]),
            Route("/_world/save", self._save, methods=["POST"]),
            Route("/_world/stop", self._stop, methods=["POST"]),
        ]

    async def _due(self, request: Request) -> JSONResponse:
        """Let the time of a workflow's schedule come: the runs it started. 404 for an unknown workflow, 422 for one without a schedule."""
        service = self._world.github.instance
        try:
            repository = service.repository(self._world.definition.repository)
            workflow = await workflows.find(service, repository, request.query_params["workflow"])
            author = Identity(user=self._world.github.seed.user(provision.AUTHOR))
            started = await workflows.come_due(service, repository, workflow, by=author)
        except Problem as error:
            return JSONResponse({"message": error.message}, error.status)
        return JSONResponse({"runs": [run.id for run in started]})

    async def _save(self, request: Request) -> Response:
        """In a new folder of the world's own: {"folder"}; 409 while a job is at work; 507 when it cannot be written."""
        folder = self._world.options.root / "saved" / secrets.token_hex(8)
        try:
            await snapshot.save(self._world, folder)
        except (RuntimeError, OSError) as error:
            return JSONResponse({"message": str(error)}, 409 if isinstance(error, RuntimeError) else 507)
        return JSONResponse({"folder": str(folder)})

    async def _stop(self, request: Request) -> Response:
        """202: the world ends, in the seconds after this answer."""

        async def stop() -> None:
            self._world.over.set()

        return Response(status_code=202, background=BackgroundTask(stop))

    @staticmethod
    def _answers(read: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return JSONResponse(read(request))

        return answer

    def _runs(self, request: Request) -> list[dict[str, Any]]:
        """Every run, oldest first, or that of `id=N` alone; with `log=N` the last N lines of each job that failed."""
        lines = int(request.query_params.get("log", "0"))
        only = int(request.query_params.get("id", "0"))
        runs = self._world.runner.runs
        chosen = [run for run in (runs.get(only),) if run] if only else runs.values()
        return [self._run(run, lines) for run in chosen]

    def _logs(self) -> list[dict[str, Any]]:
        """Everything that jobs wrote for people to read, of every job: {"job", "lines", "summaries", "outputs", "annotations"}."""
        jobs = [job for run in self._world.runner.runs.values() for job in run.jobs]
        return [
            {
                "job": f"{job.name} ({job.id})",
                "lines": [line for step in job.steps for line in step.log],
                "summaries": [step.summary for step in job.steps],
                "outputs": job.outputs,
                "annotations": [asdict(each) for each in job.annotations],
            }
            for job in jobs
        ]

    def _traffic_changes(self) -> list[dict[str, Any]]:
        """{"at", "environment", "component", "text"} of each, oldest first."""
        return [asdict(change) for change in self._world.emulators.traffic_changes(self._world.journal)]

    def _run(self, run: Run, lines: int) -> dict[str, Any]:
        jobs = sorted(run.jobs, key=lambda job: (job.attempt, job.id))
        ends = [job.completed_at for job in jobs if job.completed_at]
        waits = [] if run.conclusion else self._world.runner.pending(run.id)
        return {
            "id": run.id,
            "workflow": run.workflow_name,
            "title": run.title,
            "event": run.event.name,
            "actor": run.event.actor,
            "conclusion": run.conclusion or run.status,
            "created": run.created_at.timestamp(),
            "ended": _at(max(ends) if ends else run.updated_at),
            "waits_for": [{"environment": wait.environment, "reviewers": wait.reviewers} for wait in waits],
            "requests": asdict(self._world.github.instance.requests(run)),
            "jobs": [_job(job, lines) for job in jobs],
        }


def _job(job: Job, lines: int) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "conclusion": job.conclusion or job.status,
        "created": job.created_at.timestamp(),
        "started": _at(job.started_at or job.completed_at),
        "ended": _at(job.completed_at or job.started_at),
        "attempt": job.attempt,
        "steps": [_step(step) for step in job.steps if step.started_at and step.completed_at],
        "log": last_lines(job, lines) if job.conclusion in FAILED else [],
    }


def last_lines(job: Job, most: int) -> list[str]:
    """The end of a job's log, without times and without the marks of groups."""
    lines = [LOG_TIME.sub("", line) for step in job.steps for line in step.log]
    kept = [line for line in lines if line.strip() and not line.startswith(("##[group]", "##[endgroup]"))]
    return kept[-most:] if most else []


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "conclusion": step.conclusion or "",
        "started": _at(step.started_at),
        "ended": _at(step.completed_at),
        "busy": step.busy,
        "nested_busy": step.nested_busy,
    }


def _at(when: datetime | None) -> float:
    return when.timestamp() if when else 0.0


def resident_kb(pid: int) -> int:
    """Resident memory of a process in kB, as the kernel counts it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def kill_act(jobs: Path, job: int) -> int:
    """SIGKILL the act process of a job and nothing else, as a power cut would; how many there were.

    `jobs` is where the runner has its jobs' folders: worlds side by side give their jobs the same numbers.
    """
    killed = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _is_act_of(folder, f"HOME={jobs}/{job}-"):
            os.kill(int(folder.name), signal.SIGKILL)
            killed += 1
    return killed


def _is_act_of(folder: Path, home: str) -> bool:
    """Whether this process is an act whose environment has a HOME that begins so."""
    try:
        comm, environ = (folder / "comm").read_text(), (folder / "environ").read_bytes()
    except OSError:
        return False  # it ended meanwhile, or belongs to another user
    return comm.strip() == "act" and any(entry.startswith(home.encode()) for entry in environ.split(b"\0"))
