"""Runs a load test: `run` is the door. Each generator is a process of its own; their recordings are merged.

    profile = Profile.declared("average", manifest.performance.profiles["average"], load)
    recording = run(profile, manifest.journeys, {"backend": "https://api.example.com"}, hosts=["api.example.com"],
                    environment="staging", release="v1.4.0", seed=7, processes=2,
                    caps=Caps(rate=load.visits_per_second, seconds=load.seconds))

A run that was interrupted, or that stopped itself because the platform failed, returns what it has, with the reason in `stopped`.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from loadtests.arrivals import Profile
from loadtests.plan import Caps, Plan, checked
from loadtests.recording import Recording, RecordingRefused, merge
from loadtests.visits import LONGEST_THINKING
from pipelines.errors import InputError
from pipelines.manifest.model import Journey
from pipelines.overlay import Overlay, current

__all__ = ["Caps", "Progress", "run"]

ROOT = Path(__file__).parents[1]
_HEAD_START = 0.3
"""Seconds from the last generator's readiness to the start."""
_GRACE = 60.0
"""Seconds beyond what a run can take after which a generator is taken for stuck."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How a run goes, all processes together."""

    seconds: float
    """Since the start."""
    due: int
    """Visits that were due by now …"""
    begun: int
    """… and that began."""
    late: int
    """Of those, more than 10 ms after they were due."""
    requests: int
    errors: int


def run(
    profile: Profile,
    journeys: Mapping[str, Journey],
    addresses: Mapping[str, str],
    *,
    hosts: Collection[str],
    environment: str,
    release: str = "",
    seed: int = 0,
    processes: int = 1,
    shard: int = 0,
    shards: int = 1,
    start: float | None = None,
    headers: Mapping[str, Mapping[str, str]] | None = None,
    overlay: Overlay | None = None,
    caps: Caps | None = None,
    timeout: float = 10.0,
    progress: Callable[[Progress], None] | None = None,
) -> Recording:
    """Make the visits of a profile, and return what came of them.

    `addresses`: component -> URL; `hosts`: those that may be asked; `headers`: component -> what its requests carry. `shard` of `shards`
    machines play one run between them: give all of them the same seed and `start` (seconds since 1970), and merge their recordings.
    `timeout`: seconds for a whole answer. `progress` is called about once a second, from this thread.

    Raises RefusedError for hosts that are not named and loads beyond `caps` and InputError for what makes no sense, both before anything
    is asked, RecordingRefused (the run is invalid) when a generator was lost, and KeyboardInterrupt for Ctrl-C and SIGTERM while nothing
    was asked yet; later they end the run and are reported in `stopped`.
    """
    if processes < 1 or not 0 <= shard < shards:
        raise InputError(f"{processes} processes, shard {shard} of {shards}: these make no run", where="load test")
    plan = checked(
        profile,
        journeys,
        addresses,
        hosts=hosts,
        caps=caps or Caps(),
        overlay=overlay if overlay is not None else current(),
        environment=environment,
        release=release,
        seed=seed,
        headers=headers or {},
        timeout=timeout,
    )
    with tempfile.TemporaryDirectory(prefix="load-") as folder, _terminating():
        plans = [
            replace(
                plan,
                shard=shard * processes + number,
                shards=shards * processes,
                file=str(Path(folder) / f"{number}.json"),
            )
            for number in range(processes)
        ]
        generators = _Generators(plans, progress)
        try:
            generators.make_all(start)
        finally:
            generators.end()
        return merge(generators.recordings(), partial=shards > 1)


class _Generators:
    """The processes of one run on this machine."""

    def __init__(self, plans: list[Plan], progress: Callable[[Progress], None] | None) -> None:
        self._plans, self._progress = plans, progress
        self._received: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = queue.SimpleQueue()
        self._latest: dict[int, dict[str, Any]] = {}
        self._ready: set[int] = set()
        self._ended: set[int] = set()
        self._errors = [Path(plan.file).with_suffix(".err") for plan in plans]
        self._processes: list[subprocess.Popen[str]] = []

    def make_all(self, start: float | None) -> None:
        """Returns when all have ended. Ctrl-C lets them stop well, a second one does not."""
        self._begin()
        self._follow(until_ready=True, patience=_GRACE + len(self._plans) * 5)
        try:
            self._send(json.dumps({"start": time.time() + _HEAD_START if start is None else start}))
            self._follow(until_ready=False, patience=self._longest(start))
        except KeyboardInterrupt:
            for process in self._processes:
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
            self._follow(until_ready=False, patience=_GRACE)

    def _longest(self, start: float | None) -> float:
        plan = self._plans[0]
        visit = plan.timeout + max(
            len(journey.requests) * plan.timeout
            + LONGEST_THINKING * sum(request.think_seconds for request in journey.requests)
            for journey in plan.journeys.values()
        )
        return max(0.0, (start or 0.0) - time.time()) + plan.profile.seconds + visit + _GRACE

    def _begin(self) -> None:
        for number, message in enumerate(self._errors):
            with message.open("w") as errors:
                process = subprocess.Popen(
                    [sys.executable, "-m", "loadtests.generator"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    # Ctrl-C comes to this process alone, which then stops them in order.
                    start_new_session=True,
                    env={
                        **os.environ,
                        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
                    },
                )
            self._processes.append(process)
            threading.Thread(target=self._read, args=(number, process.stdout), daemon=True).start()
        for process, plan in zip(self._processes, self._plans, strict=True):
            self._write(process, plan.to_json())

    def _read(self, number: int, lines: IO[str]) -> None:
        for line in lines:
            with suppress(ValueError):
                self._received.put((number, json.loads(line)))
        self._received.put((number, None))

    def _send(self, line: str) -> None:
        for process in self._processes:
            self._write(process, line)

    def _write(self, process: subprocess.Popen[str], line: str) -> None:
        # One that has died is found missing when its recording is looked for.
        with suppress(BrokenPipeError, ValueError):
            assert process.stdin is not None  # noqa: S101 - asked for above
            process.stdin.write(line + "\n")
            process.stdin.flush()

    def _follow(self, *, until_ready: bool, patience: float) -> None:
        until = time.monotonic() + patience
        everybody = set(range(len(self._processes)))
        while self._ended != everybody and not (until_ready and self._ready | self._ended == everybody):
            try:
                number, message = self._received.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            if message is None:
                self._ended.add(number)
            elif "ready" in message:
                self._ready.add(number)
            else:
                self._latest[number] = message
                self._report()

    def _report(self) -> None:
        if self._progress is not None:
            latest = list(self._latest.values())
            sums = {name: sum(each[name] for each in latest) for name in ("due", "begun", "late", "requests", "errors")}
            self._progress(Progress(seconds=max(each["seconds"] for each in latest), **sums))

    def _hang_up(self) -> None:
        for process in self._processes:
            if process.stdin is not None:
                with suppress(BrokenPipeError):
                    process.stdin.close()

    def end(self) -> None:
        """None of them outlives this. Those that wrote their recording have nothing left to do."""
        self._hang_up()
        for process in self._processes:
            if len(self._ended) < len(self._processes):
                process.kill()
            process.wait()
            if process.stdout is not None and process.poll() is not None:
                process.stdout.close()

    def recordings(self) -> Iterator[Recording]:
        for plan, process, errors in zip(self._plans, self._processes, self._errors, strict=True):
            file = Path(plan.file)
            if not file.is_file():
                text = errors.read_text().strip().splitlines()[-1:] or ["it printed nothing"]
                raise RecordingRefused(
                    f"the generator of shard {plan.shard} of {plan.shards} ended with {process.returncode} and left no recording: "
                    f"{text[0]}"
                )
            yield Recording.from_json(file.read_text())


@contextmanager
def _terminating() -> Iterator[None]:
    """SIGTERM is taken as Ctrl-C is, where signals can be taken at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
