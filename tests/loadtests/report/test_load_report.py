"""The report says what was found, in every form, and nothing from outside becomes markup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtests.recording import Recording, Sample
from loadtests.report import Written, plots, words, write
from loadtests.verdicts import judge
from rehearsal.services import browser
from tests.loadtests.report.example import TARGETS, recorded

BAD = "<script>alert('x')</script>|`**"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Written:
    recording = failing()
    recording.release = BAD
    return written(tmp_path_factory.mktemp("failing"), recording, recorded(4))


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return written(tmp_path_factory.mktemp("nothing"), recorded(1, seconds=0, rate=0))


def written(folder: Path, recording: Recording, before: Recording | None = None) -> Written:
    return write(judge(recording, TARGETS, before=before), recording, folder)


def failing() -> Recording:
    recording = recorded(3, stalls=True, failing=0.4, seconds=300)
    recording.add(Sample(100.0, f"backend GET /{BAD}", 5.0, 500, f"status {BAD}"))
    return recording


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(browser.find().path), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("which", ["report", "nothing"])
def test_the_page_fits_asks_for_nothing_and_says_nothing_wrong(
    chromium: Any, request: pytest.FixtureRequest, width: int, which: str
) -> None:
    page = request.getfixturevalue(which).html
    context = chromium.new_context(viewport={"width": width, "height": 800})
    shown, asked, text = context.new_page(), [], []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: text.append(message.text))
    shown.on("pageerror", lambda error: text.append(str(error)))
    shown.goto(page.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [page.as_uri()]
    assert text == []
    context.close()


def test_the_page_begins_with_the_verdict_and_the_targets(chromium: Any, report: Written) -> None:
    shown = chromium.new_page()
    shown.goto(report.html.as_uri())
    assert (
        shown.locator("h1 ~ .verdict").inner_text().split("\n")[-1] == "Targets missed: API responses, database queries"
    )
    rows = shown.locator(".targets tr").all_inner_texts()
    assert "database queries" in rows[2]
    assert "missed" in rows[2]
    assert "100 ms" in rows[2]
    assert shown.locator("svg[aria-label]").count() == 6
    for label in ("response time, ms", "visits per second", "failed per second", "time since the start of the run"):
        assert shown.locator("svg text", has_text=label).count() >= 1
    assert shown.get_by_text(f"backend GET /{BAD}").count() >= 1
    shown.close()


def test_the_summary_has_a_row_for_each_target_and_no_markup_from_outside(report: Written) -> None:
    text = report.markdown.read_text()
    lines = text.splitlines()
    assert lines[0] == "### ✗ Targets missed: API responses, database queries"
    rows = [line for line in lines if line.startswith("| ") and "missed" in line]
    assert [row.count("|") for row in rows] == [7, 7]
    assert "<script" not in text.replace("`<script>alert('x')</script>| **`", "")
    assert any("Slower than the last good run" in line for line in lines)


def test_the_json_has_the_numbers_and_none_that_json_does_not_know(report: Written) -> None:
    document = json.loads(report.json.read_text())
    assert document["verdict"] == "missed"
    assert [answer["verdict"] for answer in document["answers"]] == ["missed", "missed"]
    assert document["answers"][0]["estimate"]["value"] is None
    assert document["answers"][1]["estimate"]["low"] > 100
    assert document["run"]["visits_asked"] == document["run"]["visits_begun"] == 1200
    assert document["run"]["failed"] == sum(document["run"]["errors"].values())
    assert document["endpoints"][0]["percentiles"].keys() == {"p50", "p95", "p99"}
    assert document["regressions"]
    assert set(document["regressions"][0]) >= {"endpoint", "ratio", "low", "high"}


def test_a_run_of_nothing_has_a_report_that_says_so(nothing: Written) -> None:
    assert "Nothing was measured" in nothing.html.read_text()
    assert nothing.markdown.read_text().startswith("### ∅ Nothing was measured")


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([12.0, 480.0], (10, 20, 50, 100, 200, 500)), ([3.0], (2, 5)), ([], (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))],
)
def test_a_logarithmic_axis_has_round_ticks_around_its_values(values: list[float], ticks: tuple[float, ...]) -> None:
    axis = plots.logarithmic(values, 0.0, 100.0)
    assert axis.ticks == ticks
    assert (axis.at(axis.first), axis.at(axis.last)) == (0.0, 100.0)


@pytest.mark.parametrize(("most", "last", "count"), [(9.2, 10, 6), (0.3, 0.3, 4), (1000, 1000, 3), (0, 0.001, 3)])
def test_a_linear_axis_begins_at_nothing_and_ends_above_the_most(most: float, last: float, count: int) -> None:
    axis = plots.linear(most, 0.0, 100.0)
    assert axis.first == 0
    assert axis.last == pytest.approx(last)
    assert len(axis.ticks) == count


def test_numbers_are_written_as_people_write_them() -> None:
    assert [words.duration(seconds) for seconds in (5, 60, 125, 3600, 5400)] == [
        "5 s",
        "1 min",
        "2 min 5 s",
        "1 h",
        "1 h 30 min",
    ]
    assert [words.times(ratio) for ratio in (1.3, 0.96, 1.004)] == ["30 % slower", "4 % faster", "the same"]
    assert [words.share(part, 1000) for part in (0, 1, 31, 250)] == ["0 %", "0.1 %", "3.1 %", "25 %"]
