"""How jobs end early, and what is left: time limits, cancelling, a killed act, re-runs, snapshots."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rehearsal import processes
from rehearsal.runner.engine import ActRunner
from rehearsal.runner.hub import EnvironmentRules, InputError, NotAllowed

SLOW = """
on: push
jobs:
  slow:
    runs-on: ubuntu-24.04
    LIMIT
    steps:
      - name: wait
        run: |
          setsid nohup sleep 300 >/dev/null 2>&1 &
          echo $! > "$FLAGS/child"
          cut -d' ' -f4 "/proc/$PPID/stat" > "$FLAGS/act"
          echo ready > "$FLAGS/ready"
          sleep 300
      - run: echo never
      - if: always()
        run: echo "last words ${{ job.status }}"; echo x > "$FLAGS/cleaned"
  after: {needs: slow, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}
  summary: {needs: slow, if: always(), runs-on: ubuntu-24.04, steps: [{run: 'true'}]}
"""


def conclusions(run: Any) -> dict[str, str]:
    return {job.name: job.conclusion for job in run.latest_jobs()}


def alive(file: Path) -> bool:
    pid = int(file.read_text())
    try:
        return b"Z" not in Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def nothing_left(w: Any) -> bool:
    jobs = w.settings.root / "jobs"
    return not jobs.exists() or not any(jobs.iterdir())


def test_timeout__job_is_cancelled__cleanup_runs_and_nothing_stays(world: Any, run_async: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            run = await w.push(SLOW.replace("LIMIT", "timeout-minutes: 0.02"))
            assert conclusions(run) == {"slow": "cancelled", "after": "skipped", "summary": "success"}
            slow = run.jobs[0]
            assert "has exceeded the maximum execution time of 0.02 minutes" in slow.annotations[-1].message
            assert [step.conclusion for step in slow.steps[1:4]] == ["failure", "skipped", "success"]
            assert "last words cancelled" in slow.log_text()
            assert not alive(tmp_path / "child")
            assert nothing_left(w)

    run_async(story())


def test_cancel__running_job_ends__always_jobs_still_run(world: Any, run_async: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            run = await w.begin(SLOW.replace("LIMIT", ""))
            await w.until((tmp_path / "ready").exists)
            await w.runner.cancel(run.id)
            await w.runner.wait(run.id)
            assert run.conclusion == "cancelled"
            assert conclusions(run) == {"slow": "cancelled", "after": "skipped", "summary": "success"}
            assert (tmp_path / "cleaned").exists()
            assert not alive(tmp_path / "child")
            with pytest.raises(InputError, match="nothing to cancel"):
                await w.runner.cancel(run.id)

    run_async(story())


def test_act_killed_from_outside__job_fails__its_processes_and_folder_are_gone(
    world: Any, run_async: Any, tmp_path: Path
) -> None:
    async def story() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            run = await w.begin(SLOW.replace("LIMIT", ""))
            await w.until((tmp_path / "ready").exists)
            assert alive(tmp_path / "child")
            os.kill(int((tmp_path / "act").read_text()), signal.SIGKILL)
            await w.runner.wait(run.id)
            assert conclusions(run) == {"slow": "failure", "after": "skipped", "summary": "success"}
            assert "act was ended by signal 9" in run.jobs[0].annotations[0].message
            assert not alive(tmp_path / "child")
            assert nothing_left(w)
            assert w.hub.tokens == {}

    run_async(story())


def test_stop__everything_ends(world: Any, run_async: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            run = await w.begin(SLOW.replace("LIMIT", ""))
            await w.until((tmp_path / "ready").exists)
            await w.runner.stop()
            assert run.status == "completed"
            assert run.conclusion == "cancelled"
            assert not alive(tmp_path / "child")
            assert processes.marked("FLAGS", str(tmp_path)) == []
            assert nothing_left(w)

    run_async(story())


KILLED = """
import asyncio, os, pathlib, signal, sys
from rehearsal.runner.engine import ActRunner
from rehearsal.runner.settings import Settings
from rehearsal.serving import Server
from tests.rehearsal.runner.small_hub import SmallHub, World

async def main(root):
    hub = SmallHub(root / "git")
    server = Server(hub.app(), "git")
    await server.start()
    hub.url = server.url
    settings = Settings(root=root / "runner", extra_env={"FLAGS": str(root)})
    runner = ActRunner(hub, settings)
    await runner.start()
    world = World(hub, runner, settings)
    await world.begin((root / "workflow.yml").read_text())
    await world.until((root / "ready").exists)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


def test_world_killed__watchdog_ends_what_its_jobs_started(tmp_path: Path) -> None:
    (tmp_path / "workflow.yml").write_text(SLOW.replace("LIMIT", ""))
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 20
    while processes.marked("FLAGS", str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert processes.marked("FLAGS", str(tmp_path)) == []
    assert not alive(tmp_path / "child")
    while (tmp_path / "runner" / "jobs").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not (tmp_path / "runner" / "jobs").exists()


FLAKY = """
on: push
jobs:
  good:
    runs-on: ubuntu-24.04
    outputs: {n: "${{ steps.s.outputs.n }}"}
    steps: [{id: s, run: 'echo "n=$GITHUB_RUN_ATTEMPT" >> $GITHUB_OUTPUT'}]
  legs:
    runs-on: ubuntu-24.04
    strategy: {fail-fast: false, matrix: {n: [1, 2]}}
    steps: [{run: 'test ${{ matrix.n }} = 1 -o $GITHUB_RUN_ATTEMPT -gt 1'}]
  join:
    needs: [good, legs]
    runs-on: ubuntu-24.04
    outputs: {n: "${{ needs.good.outputs.n }}-$ATTEMPT"}
    steps: [{run: 'test "${{ needs.good.outputs.n }} $GITHUB_TRIGGERING_ACTOR" = "1 on-call"'}]
"""


def test_rerun_failed__keeps_what_succeeded__outputs_of_the_first_attempt(world: Any, run_async: Any) -> None:
    async def story() -> None:
        async with world() as w:
            run = await w.push(FLAKY)
            assert conclusions(run) == {
                "good": "success",
                "legs (1)": "success",
                "legs (2)": "failure",
                "join": "skipped",
            }
            ids = {job.name: job.id for job in run.latest_jobs()}
            again = await w.runner.rerun(run.id, failed_only=True, actor="on-call")
            assert again is run
            with pytest.raises(NotAllowed, match="can be run again once it is completed"):
                await w.runner.rerun(run.id, failed_only=True, actor="on-call")
            await w.runner.wait(run.id)
            assert run.attempt == 2
            assert set(conclusions(run).values()) == {"success"}
            kept = {job.name for job in run.latest_jobs() if job.id == ids[job.name]}
            assert kept == {"good", "legs (1)"}
            assert len(run.jobs) == 6
            with pytest.raises(InputError, match="no failed job"):
                await w.runner.rerun(run.id, failed_only=True, actor="on-call")

    run_async(story())


def test_rerun_all__every_job_is_new(world: Any, run_async: Any) -> None:
    async def story() -> None:
        async with world() as w:
            run = await w.push("on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}")
            await w.runner.rerun(run.id, failed_only=False, actor="on-call")
            await w.runner.wait(run.id)
            assert [(job.attempt, job.superseded, job.conclusion) for job in run.jobs] == [
                (1, True, "success"),
                (2, False, "success"),
            ]

    run_async(story())


def test_snapshot__waiting_run__goes_on_in_another_runner(world: Any, run_async: Any, tmp_path: Path) -> None:
    workflow = """
on: push
jobs:
  first: {runs-on: ubuntu-24.04, outputs: {v: "7"}, steps: [{run: 'true'}]}
  second: {needs: first, environment: production, runs-on: ubuntu-24.04, steps: [{run: 'test ${{ needs.first.outputs.v }} = 7'}]}
"""

    async def story() -> None:
        async with world() as w:
            w.hub.environments["production"] = EnvironmentRules(name="production", reviewers=("release-manager",))
            run = await w.begin(workflow)
            await w.until(lambda: any(job.status == "waiting" for job in run.jobs))
            saved = w.runner.save()
            other = ActRunner(w.hub, w.settings)
            await other.start()
            try:
                other.load(saved)
                copy = other.runs[run.id]
                assert copy == run
                assert copy is not run
                await w.until(lambda: other.pending(run.id))
                await other.review(run.id, ["production"], "approved", "release-manager", "")
                await other.wait(run.id)
                assert conclusions(copy) == {"first": "success", "second": "success"}
                assert [job.id for job in copy.jobs] == [job.id for job in run.jobs]
                (fresh,) = await other.emit(w.event(run.head_sha))
                assert (fresh.number, fresh.id) == (2, run.id + 1)
            finally:
                await other.stop()

    run_async(story())
