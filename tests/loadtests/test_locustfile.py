"""Locust's own distributed mode: a master and its workers leave one recording, or none when a worker is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks._latency_service import latency_server, seen
from loadtests.arrivals import Profile, due_times
from loadtests.plan import Caps, checked
from loadtests.recording import Recording
from pipelines.overlay import Overlay
from tests.loadtests.items import ITEMS

ROOT = Path(__file__).parents[2]
WORKERS = 2


def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def cluster(folder: Path, url: str, profile: Profile) -> Iterator[list[subprocess.Popen[str]]]:
    """The master, then its workers."""
    plan = checked(
        profile,
        {"items": ITEMS},
        {"backend": url},
        hosts=["127.0.0.1"],
        caps=Caps(),
        overlay=Overlay(),
        environment="bench",
        release="",
        seed=5,
        headers={},
        timeout=5.0,
    )
    (folder / "plan.json").write_text(replace(plan, shards=WORKERS).to_json())
    meeting = str(port())
    called = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", "--headless"]
    master = [
        *called,
        "--master",
        "--master-bind-host",
        "127.0.0.1",
        "--master-bind-port",
        meeting,
        "--expect-workers",
        str(WORKERS),
    ]
    worker = [*called, "--worker", "--master-host", "127.0.0.1", "--master-port", meeting]
    names = {"SHIPMATE_LOAD_PLAN": str(folder / "plan.json"), "SHIPMATE_LOAD_RECORDING": str(folder / "recording.json")}
    processes = []
    for argv in (master, *[worker] * WORKERS):
        with (folder / f"{len(processes)}.log").open("w") as log:
            processes.append(
                subprocess.Popen(
                    argv,
                    stdout=log,
                    stderr=log,
                    text=True,
                    cwd=ROOT,
                    env={**os.environ, **names, "PYTHONPATH": str(ROOT)},
                )
            )
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.long
def test_a_cluster_leaves_what_one_machine_would(tmp_path: Path) -> None:
    profile = Profile(name="cluster", rate=20, seconds=2)
    with latency_server() as url, cluster(tmp_path, url, profile) as (master, *workers):
        assert master.wait(90) == 0, (tmp_path / "0.log").read_text()
        assert [worker.wait(30) for worker in workers] == [0, 0]
        asked = sum(seen(url)["requests"].values())
        assert seen(url)["items"] == 0
    recording = Recording.from_json((tmp_path / "recording.json").read_text())
    assert recording.held == {0, 1}
    assert recording.asked.total() == recording.started.total() == len(due_times(profile, 5))
    assert recording.total().count == asked == 3 * recording.asked.total()


@pytest.mark.long
def test_a_worker_that_is_lost_leaves_no_recording(tmp_path: Path) -> None:
    """locust#1707 the other way round: the master must not take what is left for the whole."""
    with (
        latency_server() as url,
        cluster(tmp_path, url, Profile(name="lost", rate=20, seconds=60)) as (master, worker, _),
    ):
        while not seen(url)["made"]:
            assert master.poll() is None, (tmp_path / "0.log").read_text()
        worker.send_signal(signal.SIGKILL)
        assert master.wait(90) == 1
    assert "no recording" in (tmp_path / "0.log").read_text()
    assert not (tmp_path / "recording.json").exists()
