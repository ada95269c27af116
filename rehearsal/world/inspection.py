"""What the world shows of its inside to the report and to whoever debugs: runs to the millisecond, messages, inventories, memory."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.runner.act import MARK
from rehearsal.runner.model import Job, Run, Step


class Inside(Protocol):
    """What of a world can be looked at."""

    @property
    def runs(self) -> dict[int, Run]: ...

    def messages(self) -> list[dict[str, str]]: ...

    def inventory(self, release: str) -> dict[str, int]: ...

    def run_url(self, run: Run) -> str: ...


class Inspection:
    """`/_world/runs`, `/_world/messages`, `/_world/inventory?release=`, `/_world/memory`, and POST `/_world/jobs/{id}/kill`."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def routes(self) -> list[Route]:
        return [
            Route(
                "/_world/runs", self._answers(lambda request: [self._run(run) for run in self._inside.runs.values()])
            ),
            Route("/_world/messages", self._answers(lambda request: self._inside.messages())),
            Route(
                "/_world/inventory",
                self._answers(lambda request: self._inside.inventory(request.query_params["release"])),
            ),
            Route("/_world/memory", self._answers(lambda request: {"resident_kb": resident_kb(os.getpid())})),
            Route(
                "/_world/jobs/{job:int}/kill",
                self._answers(lambda request: {"killed": kill_act(request.path_params["job"])}),
                methods=["POST"],
            ),
        ]

    @staticmethod
    def _answers(read: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return JSONResponse(read(request))

        return answer

    def _run(self, run: Run) -> dict[str, Any]:
        jobs = sorted(run.jobs, key=lambda job: (job.attempt, job.id))
        ends = [job.completed_at for job in jobs if job.completed_at]
        return {
            "id": run.id,
            "workflow": run.workflow_name,
            "title": run.title,
            "event": run.event.name,
            "actor": run.event.actor,
            "conclusion": run.conclusion or run.status,
            "created": run.created_at.timestamp(),
            "ended": _at(max(ends) if ends else run.updated_at),
            "url": self._inside.run_url(run),
            "jobs": [_job(job) for job in jobs],
        }


def _job(job: Job) -> dict[str, Any]:
    return {
        "name": job.name,
        "conclusion": job.conclusion or job.status,
        "created": job.created_at.timestamp(),
        "started": _at(job.started_at or job.completed_at),
        "ended": _at(job.completed_at or job.started_at),
        "attempt": job.attempt,
        "url": "",
        "steps": [_step(step) for step in job.steps if step.started_at and step.completed_at],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "conclusion": step.conclusion or "",
        "started": _at(step.started_at),
        "ended": _at(step.completed_at),
    }


def _at(when: datetime | None) -> float:
    return when.timestamp() if when else 0.0


def resident_kb(pid: int) -> int:
    """Resident memory of a process in kB, as the kernel counts it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def kill_act(job: int) -> int:
    """SIGKILL the act process of a job and nothing else, as a power cut would; how many there were."""
    killed = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _is_act_of(folder, job):
            os.kill(int(folder.name), signal.SIGKILL)
            killed += 1
    return killed


def _is_act_of(folder: Path, job: int) -> bool:
    try:
        comm, environ = (folder / "comm").read_text(), (folder / "environ").read_bytes()
    except OSError:
        return False  # it ended meanwhile, or belongs to somebody else
    return comm.strip() == "act" and any(entry.startswith(f"{MARK}={job}-".encode()) for entry in environ.split(b"\0"))
