"""A small report with everything in it, to be changed by tests."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import Any

from rehearsal.report.model import (
    CaughtRelease,
    ContractChecks,
    Event,
    FaultHits,
    Job,
    Notification,
    Report,
    Rollback,
    Run,
    Screenshot,
    Step,
    Story,
    TimeShare,
    TrafficShift,
    UserRequest,
    UserTraffic,
    WentLive,
)

BEGAN = 1_800_000_000.0


def step(name: str, started: float, ended: float, busy: float | None = None, nested_busy: float = 0.0) -> Step:
    """Busy all the time by default."""
    spent = ended - started if busy is None else busy
    return Step(
        name=name,
        conclusion="success",
        started=BEGAN + started,
        ended=BEGAN + ended,
        busy=spent,
        nested_busy=nested_busy,
    )


def job(name: str = "Deploy backend", started: float = 1, ended: float = 4, **more: Any) -> Job:
    given: dict[str, Any] = {
        "id": 71,
        "name": name,
        "conclusion": "success",
        "created": BEGAN + started - 0.8,
        "started": BEGAN + started,
        "ended": BEGAN + ended,
        "attempt": 1,
    }
    return Job(**(given | more))


def run(*jobs: Job, **more: Any) -> Run:
    given: dict[str, Any] = {
        "id": 11,
        "workflow": "Deploy to Production",
        "title": "Deploy v1.0.1 to production",
        "event": "workflow_dispatch",
        "actor": "dev-1",
        "conclusion": "success",
        "created": BEGAN,
        "ended": max((one.ended for one in jobs), default=BEGAN),
        "github_requests": 90,
        "jobs": list(jobs),
    }
    return Run(**(given | more))


def requests(release: str, started: float, ended: float, *, ok: bool = True) -> list[UserRequest]:
    count = int((ended - started) * 10)
    return [UserRequest(at=BEGAN + started + n / 10, ms=4.0 + n % 7, ok=ok, release=release) for n in range(count)]


def traffic(**more: Any) -> UserTraffic:
    given: dict[str, Any] = {
        "title": "Deploy v1.0.1 to production",
        "environment": "production",
        "requests": {"backend": requests("v1.0.0", 0, 5) + requests("v1.0.1", 5, 9), "web": requests("v1.0.0", 0, 9)},
        "shifts": [TrafficShift(at=BEGAN + 5, component="backend", text="v1.0.1 100 %")],
    }
    return UserTraffic(**(given | more))


def story(**more: Any) -> Story:
    given: dict[str, Any] = {
        "name": "quick-start",
        "title": "A pull request reaches production",
        "passed": True,
        "problem": "",
        "started": BEGAN,
        "ended": BEGAN + 10,
        "events": [
            Event(kind="action", text="$ git tag v1.0.1", user="dev-1", started=BEGAN, ended=BEGAN + 0.1),
            Event(kind="assertion", text="v1.0.1 is live", user="", started=BEGAN + 9, ended=BEGAN + 9.5),
        ],
        "runs": [run(job(steps=[step("Set up job", 1, 1.5), step("Check", 1.5, 3)]))],
        "traffic": [traffic()],
        "live": [WentLive(at=BEGAN + 9, text="v1.0.1 is live", environment="production", release="v1.0.1", run=11)],
        "rollbacks": [Rollback(at=BEGAN + 9.5, text="v1.0.1 was rolled back", seconds=4.2)],
        "caught": [
            CaughtRelease(
                release="bad-slow",
                defect="every answer takes 3 s",
                gate="comparison",
                traffic_percent=0,
                exposed_seconds=0.0,
                failed_requests=0,
                requests=120,
                seconds=4.0,
            ),
            CaughtRelease(
                release="bad-late",
                defect="fails with traffic",
                gate="watch at 10 %",
                traffic_percent=10,
                exposed_seconds=1.5,
                failed_requests=2,
                requests=1234,
                seconds=8.25,
            ),
        ],
        "faults": [FaultHits(kind="lose_answer", emulator="vercel", method="POST", path="/v13/deployments", times=2)],
        "notifications": [Notification(via="slack", at=BEGAN + 9.6, text="v1.0.1 failed\nsee the run")],
        "screenshots": [Screenshot(title="The app", file="screenshots/quick-start-1.png")],
        "missing_screenshots": {"The releases": "releases answered 404"},
    }
    return Story(**(given | more))


def report(*stories: Story, **more: Any) -> Report:
    values = list(stories) or [story()]
    given: dict[str, Any] = {
        "passed": all(one.passed for one in values),
        "repository": "techmate/platform",
        "started": BEGAN,
        "ended": BEGAN + 10,
        "machine": {"cores": "2 cores"},
        "stories": values,
        "time_shares": [
            TimeShare(activity="act", seconds=4, part=0.4),
            TimeShare(activity="waiting", seconds=6, part=0.6),
        ],
        "contracts": ContractChecks(requests={"github": 120, "vercel": 12}, violations=[]),
    }
    return Report(**(given | more))


def failed(problem: str, *jobs: Job, **more: Any) -> Story:
    """A story that failed by the run of these jobs."""
    runs = [run(*jobs, conclusion="failure")] if jobs else []
    return replace(story(passed=False, problem=problem, runs=runs, screenshots=[]), **more)


def png() -> bytes:
    """One grey dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")


SCREENSHOTS = {"screenshots/quick-start-1.png": png()}
