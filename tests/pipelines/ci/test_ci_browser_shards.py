"""Shares of the browser tests put together: only when every test ran once, each with its result, is there a report.

Held against what others met: positron#12108 (a shard that left nothing and a green run), slack-test-reporter#1 (flaky tests lost by
merging), pytest-split#100 (tests in two shares and in none), pytest-xdist#598 (other tests on another machine).
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.shards import split
from pipelines.ci import browser_report, browser_shards, browser_tests
from pipelines.ci.browser_shards import Share
from pipelines.errors import CheckFailed
from pipelines.manifest.model import BrowserTests, Quarantine
from pipelines.runtime import Runtime

TODAY = date(2026, 6, 15)
TESTS = ("a.py::test_a", "a.py::test_b[desktop]", "b.py::test_c", "b.py::test_d", "c.py::test_e")
Accounts = list[dict[str, Any]]


def ran(test: str, **changed: Any) -> dict[str, Any]:
    return {"test": test, "outcome": "passed", "seconds": 1.5, "attempts": 1, "flaky": [], **changed}


def accounts(tests: tuple[str, ...] = TESTS, shards: int = 2, durations: dict[str, float] | None = None) -> Accounts:
    """As the plugin of the tests writes them when all is well."""
    seconds = durations or {}
    return [
        {
            "format": 1,
            "shard": number,
            "shards": shards,
            "collected": sorted(tests),
            "own": sorted(own),
            "ran": [ran(test, seconds=seconds.get(test, 1.5)) for test in own],
            "ended": True,
        }
        for number, own in enumerate(split(tests, shards, seconds), 1)
    ]


def junit(account: dict[str, Any]) -> str:
    """The JUnit file beside an account, as pytest writes it."""
    inside = {"passed": "", "skipped": "<skipped/>", "failed": '<failure message="it broke"/>'}
    cases = []
    for one in account["ran"]:
        properties = "".join(f'<property name="flaky" value="{message}"/>' for message in one["flaky"])
        case = ElementTree.Element("testcase", name=one["test"].partition("::")[2], time=str(one["seconds"]))
        case.append(ElementTree.fromstring(f"<properties>{properties}</properties>"))  # noqa: S314
        if one["outcome"] != "passed":
            case.append(ElementTree.fromstring(inside[one["outcome"]]))  # noqa: S314
        cases.append(ElementTree.tostring(case, encoding="unicode"))
    failures = sum(one["outcome"] == "failed" for one in account["ran"])
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0" time="{len(cases) * 1.5}"'
    return f'<testsuites><testsuite name="e2e" {counts}>{"".join(cases)}</testsuite></testsuites>'


def left(folder: Path, given: Accounts, reports: list[str] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    for number, account in enumerate(given, 1):
        (folder / f"shard-{number}.json").write_text(json.dumps(account))
        (folder / f"shard-{number}.xml").write_text(reports[number - 1] if reports else junit(account))
    return folder


def refused(folder: Path, shards: int = 2) -> CheckFailed:
    with pytest.raises(CheckFailed) as error:
        browser_shards.merge(folder, shards)
    assert error.value.next_step
    return error.value


# what is well -----------------------------------------------------------------------------------------------------------


def test_one_report_of_all_shards_with_flaky_tests_and_durations(tmp_path: Path) -> None:
    given = accounts()
    for account in given:
        for one in account["ran"]:
            if one["test"] == "b.py::test_d":
                one |= {"attempts": 2, "flaky": ["attempt 1, call: too late"], "seconds": 4.0}
    merged = browser_shards.merge(left(tmp_path / "shards", given), 2)
    file = merged.write(tmp_path / "report")
    report = browser_report.read(file, (), TODAY)
    assert report is not None
    assert sorted(case.name for case in report.cases) == ["test_a", "test_b[desktop]", "test_c", "test_d", "test_e"]
    assert report.line == "5 browser tests passed, 1 of them flaky: test_d"
    assert browser_tests.judge(report) is report
    root = ElementTree.parse(file).getroot()  # noqa: S314
    assert (root.get("tests"), root.get("failures"), root.get("time")) == ("5", "0", "7.500")
    answer = json.loads((tmp_path / "report/e2e.json").read_text())
    assert [one["test"] for one in answer["tests"]] == list(TESTS)
    assert {one["shard"] for one in answer["tests"]} == {1, 2}
    assert next(one for one in answer["tests"] if one["test"] == "b.py::test_d")["attempts"] == 2
    assert merged.durations() == {test: 4.0 if test == "b.py::test_d" else 1.5 for test in TESTS}
    assert merged.line.startswith("2 shards, ")


def test_what_failed_fails_the_whole_and_quarantine_counts_as_in_one_run(tmp_path: Path) -> None:
    given = accounts()
    given[0]["ran"][0]["outcome"] = "failed"
    name = given[0]["ran"][0]["test"].partition("::")[2]
    file = browser_shards.merge(left(tmp_path / "shards", given), 2).write(tmp_path / "report")
    report = browser_report.read(file, (), TODAY)
    assert report is not None
    with pytest.raises(CheckFailed, match="1 of 5 browser tests failed") as failed:
        browser_tests.judge(report)
    assert name in failed.value.what
    quarantine = Quarantine(test=name.partition("[")[0], owner="dev-1", until="2026-06-15", reason="flaky since #12")
    excused = browser_report.read(file, (quarantine,), TODAY)
    assert excused is not None
    assert browser_tests.judge(excused).line == f"4 browser tests passed; 1 failed in quarantine: {name}"


def test_more_shards_than_tests(tmp_path: Path) -> None:
    merged = browser_shards.merge(left(tmp_path, accounts(TESTS[:2], 4)), 4)
    assert set(merged.durations()) == set(TESTS[:2])


NAMES = st.text("ab[]:é-", min_size=1, max_size=4).map(lambda name: f"f.py::test_{name}")


@given(
    st.dictionaries(NAMES, st.floats(0, 1e4), min_size=1, max_size=25),
    st.integers(1, 6),
    st.integers(0, 10**6),
    st.sampled_from(("nothing", "drops", "repeats", "another machine's", "not ended", "no junit")),
)
def test_whatever_the_shares_are_they_add_up_and_one_change_is_seen(
    durations: dict[str, float], shards: int, chosen: int, change: str
) -> None:
    given = accounts(tuple(durations), shards, durations)
    test = sorted(durations)[chosen % len(durations)]
    owner = next(account for account in given if test in account["own"])
    other = given[chosen % shards]
    if change == "drops":
        owner["ran"] = [one for one in owner["ran"] if one["test"] != test]
    elif change == "repeats":
        other["ran"].append(ran(test))
    elif change == "another machine's":
        other["collected"] = [*other["collected"], "f.py::test_other"]
    elif change == "not ended":
        other["ended"] = False
    reports = [junit(account) for account in given]
    if change == "no junit":
        reports[given.index(owner)] = "<testsuites><testsuite/></testsuites>"
    with TemporaryDirectory() as folder:
        where = left(Path(folder), given, reports)
        if change == "nothing":
            assert browser_shards.merge(where, shards).durations() == durations
        else:
            refused(where, shards)


# what is not ------------------------------------------------------------------------------------------------------------


def changed(number: int, **values: Any) -> Callable[[Accounts], None]:
    return lambda given: given[number - 1].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda given: given.pop(), "shard 2 of 2 left nothing"),
        (lambda given: given.clear(), "shards 1, 2 of 2 left nothing"),
        (lambda given: given.append(copy.deepcopy(given[0])), "shard 1 is there more than once or too many"),
        (changed(2, shards=3), "shard 2 of 3 is of another division: this run has 2"),
        (changed(2, shard=1), "shard 2 of 2 left nothing"),
        (changed(2, ended=False), "shard 2 of 2 was broken off: 2 of its 2 tests ran"),
        (changed(2, collected=[*TESTS, "c.py::test_f"]), "shards 1 and 2 collected different tests: c.py::test_f"),
        (changed(2, collected=TESTS[:-1]), "shards 1 and 2 collected different tests: c.py::test_e"),
        (changed(2, ran=[]), "2 of 5 browser tests ran nowhere: a.py::test_b[desktop] (shard 2 of 2), b.py::test_d"),
        (changed(2, own=[], ran=[]), "a.py::test_b[desktop] (of no shard), b.py::test_d (of no shard)"),
        (lambda given: given[1]["ran"].append(ran("a.py::test_a")), "ran twice, or was never collected: a.py::test_a"),
        (lambda given: given[1]["ran"].append(ran("a.py::test_x")), "ran twice, or was never collected: a.py::test_x"),
        (lambda given: [each.update(collected=[], own=[], ran=[]) for each in given], "no browser test was collected"),
    ],
)
def test_what_is_missing_twice_or_unlike_is_named(
    tmp_path: Path, change: Callable[[Accounts], Any], message: str
) -> None:
    given = accounts()
    change(given)
    assert message in refused(left(tmp_path, given)).what


def test_the_order_in_which_tests_were_collected_does_not_matter(tmp_path: Path) -> None:
    given = accounts()
    given[1]["collected"].reverse()
    assert len(browser_shards.merge(left(tmp_path, given), 2).durations()) == 5


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ("<testsuites", "shard-1.xml cannot be read"),
        ("<testsuites/>", "3 tests ran by the account of shard 1 of 2, and 0 by its JUnit file"),
        ("failing", "passed by the account of shard 1 of 2, and not by its JUnit file"),
        ("strange", "test_z failed by the JUnit file of shard 1 of 2, and is not in its account"),
    ],
)
def test_a_test_whose_result_would_be_lost_is_named(tmp_path: Path, report: str, message: str) -> None:
    given = accounts()
    failing = copy.deepcopy(given[0])
    for one in failing["ran"]:
        one["outcome"] = "failed"
    stranger = junit({"ran": [*given[0]["ran"], ran("z.py::test_z", outcome="failed")]})
    text = {"failing": junit(failing), "strange": stranger}.get(report, report)
    assert message in refused(left(tmp_path, given, [text, junit(given[1])])).what


def test_a_junit_file_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = left(tmp_path, accounts())
    (folder / "shard-2.xml").unlink()
    assert "shard-2.xml is missing" in refused(folder).what


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": 9}',
        json.dumps(accounts()[0] | {"shard": "1"}),
        json.dumps(accounts()[0] | {"shard": True}),
        json.dumps(accounts()[0] | {"shard": 0}),
        json.dumps(accounts()[0] | {"collected": "abc"}),
        json.dumps(accounts()[0] | {"ran": [ran("a", outcome="fine")]}),
        json.dumps(accounts()[0] | {"ran": [ran("a", seconds=-1)]}),
        json.dumps(accounts()[0] | {"ran": [ran("a", seconds=float("nan"))]}),
        json.dumps(accounts()[0] | {"ran": ["a"]}),
    ],
)
def test_an_account_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    folder = left(tmp_path, accounts())
    (folder / "shard-1.json").write_text(content)
    error = refused(folder)
    assert "the account of a share of the browser tests cannot be read" in error.what
    assert error.where.endswith("shard-1.json")


# one share --------------------------------------------------------------------------------------------------------------


class Place:
    """A repository whose browser tests write what is given."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = io.StringIO()

    def run(self, account: dict[str, Any] | None, *, code: int = 0, quarantine: tuple[Quarantine, ...] = ()) -> str:
        (self.root / "given.json").write_text(json.dumps(account))
        (self.root / "given.xml").write_text(junit(account or accounts()[0]))
        tell = "import os; print('|'.join(os.environ[n] for n in ('E2E_SHARD', 'E2E_SHARDS', 'E2E_DURATIONS')))"
        copied = ("xml", "json") if account else ("xml",)
        script = (
            f"{tell}; import shutil, sys; [shutil.copy('given.' + e, 'e2e.' + e) for e in {copied}]; sys.exit({code})"
        )
        tests = BrowserTests(
            run=("false",), thorough=(f'python3 -c "{script}"',), report="e2e.xml", quarantine=quarantine
        )
        share = Share(number=1, count=2, durations=self.root / "durations.json", folder=self.root / "kept")
        runtime = Runtime(environ={"GITHUB_ACTIONS": "true"}, stream=self.log)
        return browser_tests.run(
            tests, self.root, {}, release="v1", artifacts=self.root / "out", runtime=runtime, share=share, today=TODAY
        ).line

    def kept(self) -> list[str]:
        return sorted(file.name for file in (self.root / "kept").glob("*"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_thorough_commands_are_given_their_share_and_what_they_leave_is_kept(place: Place) -> None:
    assert place.run(accounts()[0]) == "3 browser tests passed"
    assert f"1|2|{place.root}/durations.json" in place.log.getvalue()
    assert place.kept() == ["shard-1.json", "shard-1.xml"]


def test_a_share_may_be_empty_or_all_in_quarantine_which_of_a_whole_run_would_prove_nothing(place: Place) -> None:
    assert place.run(accounts(TESTS[:1], 2)[0] | {"own": [], "ran": []}) == "0 browser tests passed"
    given = accounts(TESTS[:1])[0]
    given["ran"][0]["outcome"] = "failed"
    excused = Quarantine(test="test_a", owner="dev-1", until="2026-06-15", reason="#1")
    over = Quarantine(test="test_gone", owner="dev-1", until="2026-06-14", reason="#2")
    assert (
        place.run(given, code=1, quarantine=(excused, over)) == "0 browser tests passed; 1 failed in quarantine: test_a"
    )


def test_what_failed_is_kept_to_be_merged(place: Place) -> None:
    given = accounts()[0]
    given["ran"][0]["outcome"] = "failed"
    with pytest.raises(browser_tests.BrowserTestsFailed, match="1 of 3 browser tests failed"):
        place.run(given, code=1)
    assert place.kept() == ["shard-1.json", "shard-1.xml"]


def test_tests_that_know_nothing_of_shares_are_named(place: Place) -> None:
    (place.root / "e2e.json").write_text(json.dumps(accounts()[0]))
    with pytest.raises(CheckFailed, match="the browser tests left no account of shard 1 of 2") as failed:
        place.run(None)
    assert "do not read E2E_SHARD" in failed.value.why
    with pytest.raises(CheckFailed, match="the browser tests ran shard 2 of 2, not shard 1 of 2"):
        place.run(accounts()[1])
    assert place.kept() == []
