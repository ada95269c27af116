"""The same users in Locust's own distributed mode: one run on as many machines as a cluster has, with Locust's page beside it.

    SHIPMATE_LOAD_PLAN=plan.json SHIPMATE_LOAD_RECORDING=recording.json \\
        locust -f loadtests/locustfile.py --headless --master --expect-workers 4
    SHIPMATE_LOAD_PLAN=plan.json locust -f loadtests/locustfile.py --worker --master-host 10.0.0.5     (four times)

The plan (`loadtests.plan`) says what is asked of whom, and in `shards` how many workers there are; Locust's own options for users, rate
and time are not looked at. Each worker runs one shard, all begin at an instant that the master names once all stand by, and the master
merges their recordings. A worker that is lost makes the run invalid: then there is no recording, and the master ends with 1.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtests.generator import LoadUser, Run
from loadtests.plan import Plan
from loadtests.recording import Recording, RecordingRefused, merge
from loadtests.visits import users_needed

PLAN, RECORDING = "SHIPMATE_LOAD_PLAN", "SHIPMATE_LOAD_RECORDING"
_HEAD_START = 1.0
_PATIENCE = 120.0
"""Seconds for all workers to stand by, and beyond the time of the run for all recordings to come."""
_log = logging.getLogger(__name__)


def plan() -> Plan:
    return Plan.from_json(Path(os.environ[PLAN]).read_text())


class PlannedUser(LoadUser):
    """One user of the plan."""

    reports_to_locust = True


class Master:
    """What the master waits for, in turn: that all workers stand by, and their recordings."""

    def __init__(self, runner: Any) -> None:
        self._runner, self._plan = runner, plan()
        self._workers = self._plan.shards
        self.ready: set[int] = set()
        self.recordings: list[Recording] = []
        self.until = time.monotonic() + _PATIENCE
        runner.register_message("stands by", self._stands_by)
        runner.register_message("recording", self._recorded)

    @property
    def users(self) -> int:
        """Of all workers together."""
        ours = self._plan
        return self._workers * users_needed(ours.profile, ours.journeys, ours.timeout, self._workers)

    def _stands_by(self, environment: Environment, msg: Any, **_: Any) -> None:
        self.ready.add(msg.data)
        if len(self.ready) == self._workers:
            self.until = time.monotonic() + self._plan.profile.seconds + _PATIENCE
            self._runner.send_message("begin", time.time() + _HEAD_START)

    def _recorded(self, environment: Environment, msg: Any, **_: Any) -> None:
        self.recordings.append(Recording.from_json(msg.data))

    def over(self) -> bool:
        """Whether all has come, or something never will."""
        runner = self._runner
        here = len(runner.clients.ready) + len(runner.clients.spawning) + len(runner.clients.running)
        lost = bool(self.ready) and here < self._workers
        return len(self.recordings) == self._workers or lost or time.monotonic() > self.until

    def end(self, environment: Environment) -> None:
        """Write the merged recording, or say what is missing."""
        try:
            whole = merge(self.recordings)
        except RecordingRefused as refused:
            _log.error("%s", refused)
            environment.process_exit_code = 1
            return
        Path(os.environ[RECORDING]).write_text(whole.to_json())
        environment.process_exit_code = 0


class Planned(LoadTestShape):
    """All users at once, until every recording has come; when visits are due is not Locust's business."""

    master: Master | None = None

    def tick(self) -> tuple[int, float] | None:
        master = self.master
        if master is None or master.over():
            return None
        return master.users, float(master.users)


def _prepare(environment: Environment, **_: Any) -> None:
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        master = Planned.master = Master(runner)
        ending: Any = environment.events.quitting
        ending.add_listener(lambda **_: master.end(environment))
    elif isinstance(runner, WorkerRunner):
        _prepare_worker(runner)


def _prepare_worker(runner: Any) -> None:
    def start(environment: Environment, **_: Any) -> None:
        PlannedUser.run_of = Run(replace(plan(), shard=runner.worker_index))
        gevent.spawn(stand_by)

    def stand_by() -> None:
        run = PlannedUser.run_of
        while not run.stands_by:
            gevent.sleep(0.05)
        runner.send_message("stands by", runner.worker_index)

    def begin(environment: Environment, msg: Any, **_: Any) -> None:
        gevent.spawn(play, msg.data)

    def play(instant: float) -> None:
        run = PlannedUser.run_of
        run.make_all(instant)
        if run.broken is None:
            runner.send_message("recording", run.recording.to_json())

    runner.environment.events.test_start.add_listener(start)
    runner.register_message("begin", begin)


_starting: Any = events.init
_starting.add_listener(_prepare)
