"""One run of the tests on several machines: each collects all of them, runs its share, and accounts for what it did.

A share depends on nothing but the ids of the tests and on recorded durations, so machines that never talk to each other divide the
tests in the same way. An account names all tests that were collected, so merging the accounts shows what was not run.
"""

from __future__ import annotations

import heapq
import itertools
import json
import math
import statistics
import time
from collections.abc import Collection, Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from e2e.retries import FLAKY, attempt_key

FORMAT = 1
_UNKNOWN_SECONDS = 1.0
"""Of each test where no duration is known at all: then shares are of equal size."""
_ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
_CRASHED = "???"
"""What xdist reports as the phase of a test that its worker did not survive."""


def split(tests: Collection[str], shards: int, durations: Mapping[str, float]) -> list[list[str]]:
    """The tests of each shard: the longest first, each to the shard that has least to do until then.

    `durations`: test -> seconds; a test without one counts as the median of those that have one. No share is empty while there are as
    many tests as shards, and none is longer than 4/3 of the longest that the best split has.
    """
    known = [durations[test] for test in tests if test in durations]
    usual = statistics.median(known) if known else _UNKNOWN_SECONDS
    least = [(0.0, 0, shard) for shard in range(shards)]
    shares: list[list[str]] = [[] for _ in range(shards)]
    for seconds, test in sorted((-durations.get(test, usual), test) for test in tests):
        load, size, shard = heapq.heappop(least)
        shares[shard].append(test)
        heapq.heappush(least, (load - seconds, size + 1, shard))
    return shares


def read_durations(file: str) -> dict[str, float]:
    """Test -> seconds, of a JSON file; without a name there are none. Raises UsageError for what is none of that."""
    if not file:
        return {}
    try:
        found = json.loads(Path(file).read_text())
        durations = {str(test): float(seconds) for test, seconds in found.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise pytest.UsageError(f"--durations-file {file}: no JSON object of test to seconds: {error}") from error
    if wrong := [test for test, seconds in durations.items() if not math.isfinite(seconds) or seconds < 0]:
        raise pytest.UsageError(f"--durations-file {file}: {wrong[0]} took {durations[wrong[0]]} seconds")
    return durations


class Shards:
    """A plugin: runs the share `number` (from 1) of `count`. Without `account` (of a worker) nothing is written."""

    def __init__(self, number: int, count: int, durations: Mapping[str, float], account: Path | None) -> None:
        self.number, self.count = number, count
        self.durations = durations
        self.account = account
        self._collected: list[str] = []
        self._own: list[str] = []
        self._phases: dict[str, list[pytest.TestReport]] = {}
        self._shared_seconds = 0.0
        self._is_shared = False

    @classmethod
    def of(cls, config: pytest.Config) -> Shards | None:
        """As the options ask for it; None when they ask for no share. Raises UsageError."""
        asked = [str(config.getoption(name) or "") for name in ("--shard", "--shards")]
        if not any(asked):
            return None
        if not all(one.isdecimal() for one in asked) or not 1 <= int(asked[0]) <= int(asked[1]):
            raise pytest.UsageError(
                f"--shard {asked[0] or '?'} --shards {asked[1] or '?'}: say which of how many, from 1"
            )
        is_worker = hasattr(config, "workerinput")
        junit = config.getoption("--junitxml")
        if not is_worker and not junit:
            raise pytest.UsageError("--shard needs --junitxml: the account of the shard is written beside that file")
        durations = read_durations(config.getoption("--durations-file"))
        account = None if is_worker else Path(junit).with_suffix(".json")
        return cls(int(asked[0]), int(asked[1]), durations, account)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Last, so that all shards divide what is left when tests were chosen by name or by marker."""
        collected = sorted(item.nodeid for item in items)
        if twice := [one for one, following in itertools.pairwise(collected) if one == following]:
            raise pytest.UsageError(f"two tests are called {twice[0]}: nobody could say which of them ran")
        own = set(split(collected, self.count, self.durations)[self.number - 1])
        left = [item for item in items if item.nodeid not in own]
        if left:
            config.hook.pytest_deselected(items=left)
            items[:] = [item for item in items if item.nodeid in own]
        self._collected, self._own = collected, sorted(own)
        output = getattr(config, "workeroutput", None)
        if output is not None:
            output["e2e_shard"] = [self._collected, self._own]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """With xdist only the workers collect."""
        if message := getattr(node, "workeroutput", {}).get("e2e_shard"):
            self._collected, self._own = message

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """What is made for many tests is not the duration of the one that happens to be the first."""
        if fixturedef.scope == "function" or self._is_shared:
            return (yield)
        started, self._is_shared = time.perf_counter(), True
        try:
            return (yield)
        finally:
            self._shared_seconds += time.perf_counter() - started
            self._is_shared = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Workers send a report with whatever it has."""
        report = yield
        report.__dict__["e2e_attempt"] = item.stash.get(attempt_key, 1)
        report.__dict__["e2e_shared_seconds"], self._shared_seconds = self._shared_seconds, 0.0
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Where the reports of all workers come together."""
        self._phases.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Last of all: also when the run was broken off, which the account then says."""
        yield
        if self.account is None:
            return
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self._collected and not self._own:
            session.exitstatus = pytest.ExitCode.OK  # more shards than tests
        self.account.parent.mkdir(parents=True, exist_ok=True)
        self.account.write_text(json.dumps(self._told(session.exitstatus), indent=1) + "\n")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What this shard did of the whole."""
        terminalreporter.write_line(
            f"shard {self.number} of {self.count}: {len(self.ran())} of its {len(self._own)} tests ran; "
            f"{len(self._collected)} tests are in all shards"
        )

    def ran(self) -> list[dict[str, Any]]:
        """One entry for each test that ran to its end, or did not survive."""
        return [
            _entry(test, phases) for test, phases in self._phases.items() if phases[-1].when in ("teardown", _CRASHED)
        ]

    def _told(self, exitstatus: int) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "shard": self.number,
            "shards": self.count,
            "collected": self._collected,
            "own": self._own,
            "ran": self.ran(),
            # When every worker crashed nobody knows what was collected.
            "ended": bool(self._collected) and exitstatus in _ENDED,
        }


def _entry(test: str, phases: list[pytest.TestReport]) -> dict[str, Any]:
    outcomes = {report.outcome for report in phases}
    seconds = sum(report.duration - getattr(report, "e2e_shared_seconds", 0.0) for report in phases)
    return {
        "test": test,
        "outcome": next((one for one in ("failed", "skipped") if one in outcomes), "passed"),
        "seconds": round(max(seconds, 0.0), 3),
        "attempts": max(getattr(report, "e2e_attempt", 1) for report in phases),
        "flaky": [str(value) for name, value in phases[-1].user_properties if name == FLAKY],
    }
