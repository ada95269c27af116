from __future__ import annotations

import subprocess

import pytest

from benchmarks import startup


def test_every_action_and_every_command_that_is_there_is_measured() -> None:
    found = startup.programs()
    assert {"action setup", "action run_check", "shipmate ci", "shipmate lint", startup.BARE, startup.GITHUB} <= set(
        found
    )


def test_a_program_that_does_more_takes_longer() -> None:
    medians = startup.measure({startup.BARE: ["-c", "pass"], "slow": ["-c", "import time; time.sleep(0.5)"]}, runs=3)
    assert medians["slow"] > max(0.5, medians[startup.BARE])


def test_a_program_that_fails_is_not_a_fast_one() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        startup.measure({"broken": ["-c", "raise SystemExit(1)"]}, runs=1)


def test_the_table_shows_ratios_and_what_is_over_the_limit() -> None:
    text = startup.table({startup.BARE: 0.01, startup.GITHUB: 0.6, "action x": 0.05, "action y": 0.25})
    assert text.splitlines()[3].split() == ["action", "x", "50", "5.0", "0.08"]
    assert text.splitlines()[4].endswith("over 200 ms")
    assert "over 200 ms" not in text.splitlines()[2]
