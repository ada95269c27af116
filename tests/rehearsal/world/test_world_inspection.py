"""A look inside a world: runs with the ends of failed logs, whom they wait for, and how much memory is held."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette

from rehearsal import definition
from rehearsal.emulator import TrafficChange
from rehearsal.github.accounts.rate_limit import RequestCount
from rehearsal.github.app import GitHub
from rehearsal.journal import Journal
from rehearsal.runner.engine import ActRunner
from rehearsal.runner.model import Event, Job, PendingReview, Run, Step
from rehearsal.serving import running
from rehearsal.world import provision
from rehearsal.world.inspection import Inspected, Inspection, kill_act, last_lines, resident_kb
from tests.rehearsal.example_manifest import written

NOON = datetime(2026, 1, 5, 12, 0, 0, 250_000, tzinfo=UTC)


def job(**more: Any) -> Job:
    given: dict[str, Any] = {
        "id": 5,
        "run_id": 1,
        "attempt": 1,
        "key": "test",
        "name": "Tests",
        "status": "completed",
        "conclusion": "failure",
        "created_at": NOON,
        "started_at": NOON + timedelta(seconds=1),
        "completed_at": NOON + timedelta(seconds=4),
    }
    return Job(**(given | more))


def run(*jobs: Job, **more: Any) -> Run:
    given: dict[str, Any] = {
        "id": 1,
        "number": 1,
        "repository": "acme/shop",
        "workflow_path": ".github/workflows/ci.yml",
        "workflow_name": "CI",
        "title": "Add a test",
        "event": SimpleNamespace(name="push", actor="dev-1"),
        "head_branch": "main",
        "head_sha": "0" * 40,
        "created_at": NOON,
        "updated_at": NOON,
        "jobs": list(jobs),
    }
    return Run(**(given | more))


class Runner:
    def __init__(self) -> None:
        self.runs: dict[int, Run] = {}
        self.waits: list[PendingReview] = []

    def pending(self, run_id: int) -> list[PendingReview]:
        return self.waits


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.fixture
def world(runner: Runner, tmp_path: Path) -> Iterator[httpx.Client]:
    changes = [TrafficChange(at=2.0, environment="production", component="web", text="v3 100 %")]
    inside = SimpleNamespace(
        runner=runner,
        github=SimpleNamespace(
            instance=SimpleNamespace(
                requests=lambda run: RequestCount(counted=run.id * 10, not_modified=3, by_job={4: {"GET /x": 10}})
            )
        ),
        journal=Journal(),
        definition=definition.read(written(tmp_path)),
        emulators=SimpleNamespace(
            notifications=lambda: [{"via": "slack", "at": "1.0", "text": "hello"}],
            deployments_of=lambda release: {"cloud-run": len(release)},
            traffic_changes=lambda journal: changes,
        ),
    )
    app = Starlette(routes=Inspection(cast(Inspected, inside)).routes())
    with running(app, "inspection") as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


def test_a_run_is_shown_to_the_millisecond(world: httpx.Client, runner: Runner) -> None:
    skipped = job(id=4, name="Skipped", conclusion="skipped", started_at=None)
    runner.runs[1] = run(skipped, job(), conclusion="failure", status="completed")
    (shown,) = world.get("/_world/runs").json()
    assert shown["created"] == NOON.timestamp()
    assert shown["ended"] == NOON.timestamp() + 4
    assert shown["conclusion"] == "failure"
    assert shown["waits_for"] == []
    assert shown["requests"] == {"counted": 10, "not_modified": 3, "by_job": {"4": {"GET /x": 10}}}
    assert [(one["name"], one["started"], one["log"]) for one in shown["jobs"]] == [
        ("Skipped", NOON.timestamp() + 4, []),
        ("Tests", NOON.timestamp() + 1, []),
    ]


def test_one_run_alone_is_shown_by_its_id(world: httpx.Client, runner: Runner) -> None:
    runner.runs = {1: run(), 2: run(id=2)}
    assert [one["id"] for one in world.get("/_world/runs").json()] == [1, 2]
    assert [one["id"] for one in world.get("/_world/runs?id=2").json()] == [2]
    assert world.get("/_world/runs?id=3").json() == []


def test_whom_a_run_waits_for_is_shown_until_it_ends(world: httpx.Client, runner: Runner) -> None:
    runner.waits = [PendingReview(environment="approval", reviewers=["on-call"], since=NOON, wait_timer=0)]
    runner.runs = {1: run(status="waiting"), 2: run(id=2, status="completed", conclusion="success")}
    waiting, ended = world.get("/_world/runs").json()
    assert waiting["conclusion"] == "waiting"
    assert waiting["waits_for"] == [{"environment": "approval", "reviewers": ["on-call"]}]
    assert ended["waits_for"] == []


def test_the_end_of_a_log_comes_with_failed_jobs_when_asked_for(world: httpx.Client, runner: Runner) -> None:
    log = [f"2026-01-05T12:00:00.0000000Z line {n}" for n in range(9)] + [
        "2026-01-05T12:00:00.0000000Z ##[endgroup]",
        " ",
    ]
    step = Step(number=1, name="Check", started_at=NOON, completed_at=NOON + timedelta(seconds=2), log=log)
    runner.runs[1] = run(job(steps=[step]), job(id=6, name="Good", conclusion="success", steps=[step]))
    bad, good = world.get("/_world/runs?log=2").json()[0]["jobs"]
    assert bad["log"] == ["line 7", "line 8"]
    assert good["log"] == []
    assert bad["steps"] == [
        {
            "name": "Check",
            "conclusion": "",
            "started": NOON.timestamp(),
            "ended": NOON.timestamp() + 2,
            "busy": 0.0,
            "nested_busy": 0.0,
        }
    ]
    assert len(last_lines(job(steps=[step]), 100)) == 9


def test_traffic_changes_say_where_and_what(world: httpx.Client) -> None:
    assert world.get("/_world/traffic-changes").json() == [
        {"at": 2.0, "environment": "production", "component": "web", "text": "v3 100 %"}
    ]


def test_messages_and_deployments(world: httpx.Client) -> None:
    assert world.get("/_world/messages").json()[0]["text"] == "hello"
    assert world.get("/_world/deployments?release=v10").json() == {"cloud-run": 3}


def test_memory_is_the_kernels_word(world: httpx.Client) -> None:
    shown = world.get("/_world/memory").json()["resident_kb"]
    assert 10_000 < shown < 4_000_000
    assert abs(shown - resident_kb(os.getpid())) < 50_000


class Starts:
    """A runner of which every event starts a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def emit(self, event: Event) -> list[Run]:
        self.events.append(event)
        return [run(id=7)]


def test_a_schedule_comes_due_when_it_is_let(tmp_path: Path) -> None:
    nightly, ci = ".github/workflows/nightly.yml", ".github/workflows/ci.yml"
    files = {
        nightly: "on: {schedule: [{cron: '7 3 * * *'}], workflow_dispatch: }\njobs: {}\n",
        ci: "on: push\njobs: {}\n",
    }
    starts = Starts()

    async def asked() -> list[httpx.Response]:
        github = GitHub(tmp_path / "github", lambda: NOON)
        inside = SimpleNamespace(github=github, definition=definition.read(written(tmp_path)))
        await github.seed.repository(inside.definition.repository, files=files)
        github.attach(cast(ActRunner, starts))
        app = Starlette(routes=Inspection(cast(Inspected, inside)).routes())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://world") as client:
            found = [await client.post(f"/_world/due?workflow={name}.yml") for name in ("nightly", "ci", "none")]
        await github.instance.close()
        return found

    due, without, unknown = asyncio.run(asked())
    assert due.json() == {"runs": [7]}
    [event] = starts.events
    assert (event.name, event.ref, event.actor) == ("schedule", "refs/heads/main", provision.AUTHOR)
    assert (event.payload["schedule"], event.payload["workflow"]) == ("7 3 * * *", nightly)
    assert (without.status_code, unknown.status_code) == (422, 404)
    assert "does not have 'schedule'" in without.json()["message"]


def test_only_the_act_of_that_job_in_that_world_is_killed(tmp_path: Path) -> None:
    act = tmp_path / "act"
    act.symlink_to(sys.executable)
    code = "import sys; print('up', flush=True); sys.stdin.read()"

    def start(program: str, home: str) -> subprocess.Popen[bytes]:
        env = {"HOME": home, "PYTHONHOME": sys.base_prefix}
        process = subprocess.Popen([program, "-c", code], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        return process

    jobs = tmp_path / "jobs"
    started = [
        start(str(act), f"{jobs}/71-abc/home"),
        start(str(act), f"{jobs}/710-abc/home"),
        start(sys.executable, f"{jobs}/71-abc/home"),
        start(str(act), f"{tmp_path}/another/jobs/71-abc/home"),
    ]
    try:
        assert kill_act(jobs, 71) == 1
        assert started[0].wait(timeout=5) == -9
        assert [process.poll() for process in started[1:]] == [None, None, None]
        assert kill_act(jobs, 71) == 0
    finally:
        for process in started:
            process.kill()
            process.communicate()
