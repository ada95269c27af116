"""Tests divided among machines: every one runs once, the shares are about equally long, and each machine accounts for what it did.

Held against what others met: pytest-split#26, #95 (a share without tests fails), #78 (skipped tests weigh as if they ran), #14 (what is
set up for all is charged to the first test), #104 (tests without a record); pytest-xdist#187, #598 (parameters from a set).
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e import shards
from e2e.shards import Shards, read_durations, split
from pipelines.ci import browser_report, browser_shards
from pipelines.errors import CheckFailed

ROOT = Path(__file__).parents[2]
NAMES = st.text("abcdefgh[]:-é", min_size=1, max_size=6)
SECONDS = st.floats(min_value=0, max_value=1e4, allow_nan=False)
TESTS = st.dictionaries(NAMES, SECONDS, max_size=40)


# dividing ---------------------------------------------------------------------------------------------------------------


@given(TESTS, st.sets(NAMES, max_size=5), st.integers(1, 9), st.randoms())
def test_every_test_is_in_one_share_whatever_order_they_were_found_in(
    durations: dict[str, float], unknown: set[str], shards: int, random: Any
) -> None:
    tests = [*durations, *(unknown - set(durations))]
    shares = split(tests, shards, durations)
    assert sorted(itertools.chain(*shares)) == sorted(tests)
    assert len(shares) == shards
    assert all(shares) or len(tests) < shards, "none is empty while there are enough"
    random.shuffle(tests)
    stale = {**durations, "renamed or deleted": 1e6}
    assert split(tests, shards, stale) == shares, "a record of a test that is gone changes nothing"


@given(TESTS, st.integers(1, 9))
def test_no_share_is_longer_than_an_even_one_and_one_test(durations: dict[str, float], shards: int) -> None:
    longest = max(sum(durations[test] for test in share) for share in split(list(durations), shards, durations))
    even, most = sum(durations.values()) / shards, max(durations.values(), default=0)
    assert longest <= even + most * (1 - 1 / shards) + 1e-6


@given(st.lists(st.integers(0, 20), min_size=1, max_size=7), st.integers(1, 3))
def test_the_longest_share_is_at_most_four_thirds_of_the_best_there_is(seconds: list[int], shards: int) -> None:
    durations = {f"test-{number}": float(each) for number, each in enumerate(seconds)}
    longest = max(sum(durations[test] for test in share) for share in split(list(durations), shards, durations))
    best = min(
        max(sum(each for each, there in zip(seconds, where, strict=True) if there == shard) for shard in range(shards))
        for where in itertools.product(range(shards), repeat=len(seconds))
    )
    assert longest <= best * (4 / 3 - 1 / (3 * shards)) + 1e-9


def test_a_test_without_a_record_counts_as_the_median_of_the_others() -> None:
    known = {"a": 1.0, "b": 2.0, "c": 9.0}
    assert split(["a", "b", "c", "new"], 2, known) == split(["a", "b", "c", "new"], 2, {**known, "new": 2.0})
    assert [len(share) for share in split([f"t{n}" for n in range(9)], 3, {})] == [3, 3, 3]


@pytest.mark.parametrize("content", ["[]", "{", '{"a": "x"}', '{"a": NaN}', '{"a": -1}', '{"a": null}'])
def test_a_file_of_durations_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "durations.json"
    file.write_text(content)
    with pytest.raises(pytest.UsageError, match="durations-file"):
        read_durations(str(file))
    with pytest.raises(pytest.UsageError, match="durations-file"):
        read_durations(str(tmp_path / "none.json"))
    assert read_durations("") == {}


# running ----------------------------------------------------------------------------------------------------------------

PLAIN = """
import pytest
attempts = []

@pytest.fixture(scope="session")
def server():
    return "started"

@pytest.mark.parametrize("user", {"guest", "user", "operator", "None", "admin"})
def test_login(server, user): pass

def test_flaky(server):
    attempts.append(1)
    assert len(attempts) > 1, "too late"

def test_bad(): assert False

def test_without_network(): pytest.skip("no network")

@pytest.mark.thorough
def test_slow(): pass
"""
IDS = {
    *(f"test_it.py::test_login[{user}]" for user in ("guest", "user", "operator", "None", "admin")),
    *(f"test_it.py::test_{name}" for name in ("flaky", "bad", "without_network", "slow")),
}


@dataclass
class Machine:
    """Runs a share of the tests that lie in a folder."""

    folder: Path

    def run(self, shard: int | str, of: int | str, *more: str, tests: str = PLAIN, **environ: str) -> Ran:
        (self.folder / "conftest.py").write_text("from e2e.conftest import pytest_addoption, pytest_configure\n")
        (self.folder / "test_it.py").write_text(tests)
        (self.folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  thorough: x\n")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("E2E_", "PYTEST_"))}
        given = {"PYTHONPATH": str(ROOT), "E2E_SHARD": str(shard), "E2E_SHARDS": str(of), **environ}
        argv = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
            "-p",
            "no:playwright",
        ]
        argv += ["--import-mode=importlib", "--junitxml=reports/e2e.xml", "--retries", "1", *more]
        account = self.folder / "reports/e2e.json"
        account.unlink(missing_ok=True)
        done = subprocess.run(
            argv, cwd=self.folder, env={**inherited, **given}, capture_output=True, text=True, check=False, timeout=120
        )
        answer = json.loads(account.read_text()) if account.is_file() else {}
        if answer:
            for file in (account, account.with_suffix(".xml")):
                shutil.copy(file, self.kept / f"shard-{shard}{file.suffix}")
        return Ran(done.returncode, done.stdout + done.stderr, answer)

    @property
    def kept(self) -> Path:
        """What is left of every share, as it is merged."""
        folder = self.folder / "kept"
        folder.mkdir(exist_ok=True)
        return folder


@dataclass
class Ran:
    code: int
    output: str
    account: dict[str, Any]

    def tests(self) -> dict[str, dict[str, Any]]:
        return {one["test"]: one for one in self.account["ran"]}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_each_machine_runs_its_own_though_sets_were_iterated_in_another_order(machine: Machine) -> None:
    ran = [machine.run(shard, 2, PYTHONHASHSEED=str(shard)) for shard in (1, 2)]
    tests = {test: one for each in ran for test, one in each.tests().items()}
    assert set(tests) == IDS
    assert sum(len(each.tests()) for each in ran) == len(IDS)
    for shard, each in enumerate(ran, 1):
        assert set(each.account["collected"]) == IDS, each.output
        assert (each.account["shard"], each.account["shards"], each.account["ended"]) == (shard, 2, True)
        assert set(each.account["own"]) == set(each.tests())
    assert sorted(each.code for each in ran) == [0, 1], "only one of them has the test that fails"
    assert tests["test_it.py::test_bad"] | {"seconds": 0} == {
        "test": "test_it.py::test_bad",
        "outcome": "failed",
        "seconds": 0,
        "attempts": 2,
        "flaky": [],
    }
    flaky = tests["test_it.py::test_flaky"]
    assert (flaky["outcome"], flaky["attempts"]) == ("passed", 2)
    assert "too late" in flaky["flaky"][0]
    assert tests["test_it.py::test_without_network"]["outcome"] == "skipped"
    merged = browser_shards.merge(machine.kept, 2)
    assert merged.durations() == {test: one["seconds"] for test, one in tests.items()}
    report = browser_report.read(merged.write(machine.folder / "merged"), (), date(2026, 6, 15))
    assert report is not None
    assert ([case.name for case in report.failed], report.line) == (
        ["test_bad"],
        "7 browser tests passed, 1 of them flaky: test_flaky",
    )


def test_what_is_set_up_for_all_is_not_the_duration_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 17.0])  # nothing else asks: neither within a fixture for all, nor for one of a test alone
    monkeypatch.setattr(shards, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    plugin = Shards(1, 1, {}, None)

    def set_up(scope: str, inner: str = "") -> None:
        steps = plugin.pytest_fixture_setup(cast(Any, SimpleNamespace(scope=scope)))
        next(steps)
        if inner:
            set_up(inner)
        with pytest.raises(StopIteration):
            next(steps)

    set_up("session", inner="module")
    set_up("function")
    for seconds in (8.0, 3.0):
        report = pytest.TestReport("t", ("t.py", 1, "t"), {}, "passed", None, "setup", duration=seconds)
        steps = plugin.pytest_runtest_makereport(cast(Any, SimpleNamespace(stash=pytest.Stash())))
        next(steps)
        with pytest.raises(StopIteration):
            steps.send(report)
        plugin.pytest_runtest_logreport(report)
    plugin.pytest_runtest_logreport(
        pytest.TestReport("t", ("t.py", 1, "t"), {}, "passed", None, "teardown", duration=0.5)
    )
    assert [(one["test"], one["seconds"]) for one in plugin.ran()] == [("t", 8.0 - 7.0 + 3.0 + 0.5)]


def test_recorded_durations_decide_and_one_that_is_long_stands_alone(machine: Machine) -> None:
    file = machine.folder / "durations.json"
    file.write_text(
        json.dumps({"test_it.py::test_slow": 90.0, "test_it.py::test_bad": 1, "test_it.py::test_flaky": 1, "gone": 9})
    )
    assert machine.run(1, 2, E2E_DURATIONS=str(file)).account["own"] == ["test_it.py::test_slow"]
    again = machine.run(2, 2, "--durations-file", str(file))
    assert set(again.tests()) == IDS - {"test_it.py::test_slow"}


def test_what_was_not_chosen_is_in_no_share(machine: Machine) -> None:
    ran = machine.run(1, 1, "-m", "not thorough", "-k", "not bad")
    assert set(ran.account["collected"]) == IDS - {"test_it.py::test_slow", "test_it.py::test_bad"}


def test_a_share_without_tests_is_well_and_a_run_without_tests_is_not(machine: Machine) -> None:
    spare = machine.run(2, 2, "-k", "slow")
    assert (spare.code, spare.account["own"], spare.account["ended"]) == (0, [], True), spare.output
    assert spare.account["collected"] == ["test_it.py::test_slow"]
    none = machine.run(1, 2, "-k", "nobody")
    assert (none.code, none.account["collected"], none.account["ended"]) == (5, [], False), none.output


def test_a_run_that_was_broken_off_says_so(machine: Machine) -> None:
    tests = PLAIN + "\ndef test_zzz(): pytest.exit('no target', returncode=4)\ndef test_zzzz(): pass\n"
    ran = machine.run(1, 1, tests=tests)
    assert (ran.code, ran.account["ended"]) == (4, False)
    assert set(ran.tests()) == IDS
    broken = machine.run(1, 1, tests=PLAIN + "\nraise OSError\n")
    assert (broken.code, broken.account["ended"], broken.account["ran"]) == (2, False, []), broken.output


@pytest.mark.parametrize(
    ("shard", "shards", "message"),
    [("3", "2", "--shard 3 --shards 2"), ("0", "2", "--shard 0"), ("1", "", r"--shards ?"), ("x", "2", "--shard x")],
)
def test_a_share_there_is_not_is_refused(machine: Machine, shard: str, shards: str, message: str) -> None:
    ran = machine.run(shard, shards)
    assert (ran.code, ran.account) == (4, {})
    assert message in ran.output


def test_a_share_that_could_not_be_accounted_for_is_refused(machine: Machine) -> None:
    ran = machine.run(1, 2, "-o", "addopts=", "-p", "no:junitxml")
    assert ran.code == 4


def test_nobody_asked_for_a_share(machine: Machine) -> None:
    ran = machine.run("", "", "-k", "login")
    assert (ran.code, ran.account) == (0, {})


# with xdist -------------------------------------------------------------------------------------------------------------

DEADLY = """
import os, pytest

@pytest.mark.parametrize("number", range(6))
def test_one(number):
    if number == 2:
        os._exit(3)
"""


def test_workers_divide_as_machines_do(machine: Machine) -> None:
    ran = [machine.run(shard, 2, "-n", "2", PYTHONHASHSEED="7") for shard in (1, 2)]
    assert sorted([*ran[0].tests(), *ran[1].tests()]) == sorted(IDS), ran[0].output + ran[1].output
    assert all(set(each.account["collected"]) == IDS for each in ran)
    flaky = next(each.tests()["test_it.py::test_flaky"] for each in ran if "test_it.py::test_flaky" in each.tests())
    assert (flaky["outcome"], flaky["attempts"], len(flaky["flaky"])) == ("passed", 2, 1)


def test_a_worker_that_ends_takes_no_test_with_it(machine: Machine) -> None:
    ran = machine.run(1, 1, "-n", "1", tests=DEADLY)
    assert set(ran.tests()) == {f"test_it.py::test_one[{number}]" for number in range(6)}, ran.output
    assert [test for test, one in ran.tests().items() if one["outcome"] != "passed"] == ["test_it.py::test_one[2]"]
    assert ran.code == 1
    assert len(browser_shards.merge(machine.kept, 1).durations()) == 6


def test_tests_that_no_worker_is_left_for_are_missing_from_the_account(machine: Machine) -> None:
    ran = machine.run(1, 1, "-n", "1", "--max-worker-restart", "0", tests=DEADLY)
    assert set(ran.tests()) == {f"test_it.py::test_one[{number}]" for number in range(3)}, ran.output
    assert (ran.account["collected"], ran.account["ended"]) == ([], False), (
        "the worker reported nothing before it ended"
    )
    with pytest.raises(CheckFailed, match="shard 1 of 1 was broken off"):
        browser_shards.merge(machine.kept, 1)
