"""The deploying process is killed at every write in turn, the whole job three times through act; a re-run finishes; nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.stories.flaky_providers import once
from rehearsal.stories.unapproved import next_version

WRITES = "POST|PUT|PATCH|DELETE"
NOT_THE_APPS = r"^(?!/api/\d+/envelope/)"
"""Path of a write that is the deployment's: what the app tells its error tracker while it is asked is not."""
HELD_SECONDS = 20
"""How long a write is held, for the kill to arrive."""
MOST_WRITES = 60
"""Bound of the story: a deployment has fewer."""


def tell(at: Routine) -> None:
    at_every_write(at)
    whole_jobs(at)


def at_every_write(at: Routine) -> None:
    """`shipmate deploy` to staging, killed while its write number N is under way, N = 1, 2, … until one gets through.

    Odd writes are killed before their effect, even ones after it.
    """
    manager = at.person("release-manager")
    manager.git("checkout", "-q", "main")
    manager.git("pull", "-q", "origin", "main")
    killed = 0
    for number in range(1, MOST_WRITES):
        if not _killed_at(at, number, after_effect=number % 2 == 0):
            break
        killed = number
    with at.diary.during("proof", f"killed {killed} times, it finished, and nothing stands twice", killed=killed):
        proof.that(killed >= 6, "there were writes to be killed at", killed)
        last = _name(killed + 1)
        again = manager.types(f"shipmate deploy --environment staging --release {last} --from-ledger staging")
        proof.that("already" in again.out, "asked again for what is done, it says so", again.text[-500:])


def _name(number: int) -> str:
    return f"kill-{number}"


def _killed_at(at: Routine, number: int, *, after_effect: bool) -> bool:
    """Deploy under a new name; kill at write `number`; run again until done. False when there was no such write."""
    name = _name(number)
    fault = {
        "method": WRITES,
        "path": NOT_THE_APPS,
        "kind": "lose_answer" if after_effect else "cut",
        "after": number - 1,
        "seconds": HELD_SECONDS,
    }
    before = len(at.place.faults_fired())
    at.place.set_faults([fault])
    argv = [
        sys.executable,
        "-P",
        "-m",
        "pipelines.cli",
        "deploy",
        "--environment",
        "staging",
        "--release",
        name,
        "--from-ledger",
        "staging",
    ]
    manager = at.person("release-manager")
    with subprocess.Popen(
        argv,
        cwd=manager.clone,
        env=at.place.terminal("release-manager"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        held = "ended"
        try:
            held = proof.eventually(
                lambda: (
                    "held" if len(at.place.faults_fired()) > before else "ended" if process.poll() is not None else None
                ),
                "a write or the end",
                seconds=120,
                every=0.05,
            )
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[0].decode()
    at.place.clear_faults()
    if held == "held":
        finished = manager.run(*argv)
        when = "after" if after_effect else "before"
        last = finished.out.strip().splitlines()[-1]
        at.diary.note(
            "act",
            f"killed at write {number} ({when} its effect), run again: {last}",
            who="release-manager",
        )
    else:
        proof.that(process.returncode == 0, f"{name} went through", said[-1500:])
    inventory = at.place.inventory(name)
    proof.that(inventory["vercel"] == 1 and inventory["cloud-run"] <= 2, f"{name} stands once", inventory)
    return held == "held"


def whole_jobs(at: Routine) -> None:
    """The production run, its act process killed in three jobs; *Re-run failed jobs* finishes it."""
    version = next_version(at)
    at.tag(at.person("dev-1"), version)
    run = at.dispatch(at.person("dev-1"), workflows.PRODUCTION, version=version)
    at.waiting_for_review(run)
    at.review(at.person("release-manager"), run, "approved", f"{version} may go")
    for job in (workflows.DEPLOY, workflows.GO_LIVE, workflows.PUBLISH):
        kill_job(at, run, job)
        at.finished(run)
        at.person("release-manager").api("POST", f"actions/runs/{run}/rerun-failed-jobs")
    at.must_end(run, "success")
    with at.diary.during("proof", "the third re-run finished it, and nothing stands twice"):
        proof.that(
            at.public_release("production") == {"backend": version, "web": version},
            "it is live",
            at.public_release("production"),
        )
        once(at, version)


def kill_job(at: Routine, run: int, name: str) -> None:
    """SIGKILL the act process of a job while its main step runs."""

    def running() -> dict[str, Any] | None:
        job = at.jobs(run).get(name)
        steps = [s for s in (job or {}).get("steps", []) if s["status"] == "in_progress"]
        return (
            job
            if job
            and job["status"] == "in_progress"
            and any(not s["name"].startswith(workflows.PREPARING_STEPS) for s in steps)
            else None
        )

    proof.eventually(lambda: _has_begun(at, run, name), f"{name} to begin", seconds=180, every=0.05)
    job = proof.eventually(running, f"{name} to be at its work", seconds=180, every=0.05)
    killed = at.place.kill_act(job["id"])
    at.diary.note("act", f"act of “{name}” is killed ({killed} processes)", who="a power cut")
    proof.that(killed, f"there was an act process of {name} to kill")


def _has_begun(at: Routine, run: int, name: str) -> bool:
    return any(job["name"] == name and job["conclusion"] == "in_progress" for job in at.shown(run)["jobs"])
