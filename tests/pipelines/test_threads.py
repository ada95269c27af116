"""Calls at the same time: in order, bounded, with their errors, and never waited for by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from pipelines.threads import together, within


def test_results_come_in_the_order_of_the_calls() -> None:
    gate = threading.Event()

    def slow() -> str:
        assert gate.wait(5)
        return "slow"

    def fast() -> str:
        gate.set()
        return "fast"

    assert together([slow, fast, lambda: "last"]) == ["slow", "fast", "last"]
    assert together([]) == []


def test_the_first_error_of_the_order_is_raised() -> None:
    def fails(kind: type[Exception]) -> int:
        raise kind("no")

    with pytest.raises(KeyError):
        together([lambda: 1, lambda: fails(KeyError), lambda: fails(ValueError)])


def test_no_more_than_allowed_at_once() -> None:
    now, most, lock = 0, 0, threading.Lock()

    def call() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    together([call] * 40, at_once=4)
    assert most == 4


def test_a_call_that_takes_too_long_is_left_to_itself() -> None:
    gate = threading.Event()
    try:
        with pytest.raises(TimeoutError, match=r"no answer in 0\.1 s"):
            within(0.1, lambda: gate.wait(60))
        with pytest.raises(TimeoutError):
            within(-1.0, lambda: gate.wait(60))
    finally:
        gate.set()


def test_a_call_in_time_gives_its_result_or_its_error() -> None:
    assert within(60, lambda: "well") == "well"
    assert within(60, lambda: None) is None
    with pytest.raises(KeyError, match="no"):
        within(60, lambda: {}["no"])
    with pytest.raises(KeyboardInterrupt):
        within(60, interrupted)


def interrupted() -> None:
    raise KeyboardInterrupt


def test_ctrl_c_waits_for_nobody() -> None:
    program = "import time; from pipelines.threads import together; print('on', flush=True); together([lambda: time.sleep(60)] * 3)"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
        assert time.monotonic() - started < 20
