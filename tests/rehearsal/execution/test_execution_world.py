"""Whole rehearsals with small stories: run, with screenshots, reported; failures are part of the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from rehearsal.execution.rehearsal import rehearse
from rehearsal.report import schema
from rehearsal.report.model import Report
from rehearsal.scenario.assertions import eventually, expect
from rehearsal.scenario.steps import Scenario
from rehearsal.stories.table import START, Story

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class FunctionStory(Story):
    """A story that is a function."""

    function: Callable[[Scenario], None]
    module: str = ""

    def run(self, scenario: Scenario) -> None:
        self.function(scenario)


def issue(scenario: Scenario) -> None:
    """A user writes an issue; a push to main is refused; users send requests to a site that is not there."""
    dev = scenario.user("dev-1")
    with scenario.user_traffic(every=0.01) as users:
        dev.command("git status --short")
        dev.write("a.txt", "text\n")
        dev.git("add", "-A")
        dev.git("commit", "-q", "-m", "docs: add a text")
        dev.command("git push -q origin main", ok=False)
        eventually(lambda: users.failures() or None, "a user to send a request", seconds=20)
    with scenario.then("an issue is there"):
        dev.api("POST", "issues", {"title": "<script>alert(1)</script>"})


def wrong(scenario: Scenario) -> None:
    with scenario.then("two is three"):
        expect(1 + 1 == 3, "two is three", 2)


def broken(scenario: Scenario) -> None:
    raise ZeroDivisionError("an own mistake")


STORIES = (
    FunctionStory(name=START, title="The start", function=wrong, needs_release=False),
    FunctionStory(name="red-pull-request", title="An issue", function=issue, needs_release=False),
    FunctionStory(name="mistake", title="A mistake", function=broken, needs_release=False),
    FunctionStory(name="rollback", title="Never run", function=issue),
)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Report, Path]]:
    yield rehearse(ROOT, STORIES, tmp_path_factory.mktemp("rehearsed") / "report")


@pytest.mark.long
@pytest.mark.world
def test_each_story_has_its_outcome_and_what_needs_the_start_is_not_run(rehearsed: tuple[Report, Path]) -> None:
    report, _ = rehearsed
    assert {story.name: story.passed for story in report.stories} == {
        START: False,
        "red-pull-request": True,
        "mistake": False,
    }
    assert report.not_run == ["rollback"]
    assert not report.passed
    assert report.stories[0].problem == "two is three (found: 2)"
    assert report.stories[2].problem.startswith("Traceback")
    assert report.stories[2].problem.rstrip().endswith("ZeroDivisionError: an own mistake")


@pytest.mark.world
def test_the_report_holds_actions_and_requests(rehearsed: tuple[Report, Path]) -> None:
    good = rehearsed[0].stories[1]
    acts = [(event.text, event.facts["exit"]) for event in good.events if event.kind == "action"]
    assert acts == [("$ git status --short", 0), ("$ git push -q origin main", 1)]
    assert good.traffic[0].requests["backend"]
    assert not any(request.ok for request in good.traffic[0].requests["backend"])
    assert rehearsed[0].contracts.requests["github"] > 0
    assert rehearsed[0].contracts.violations == []
    assert "world ready in" in rehearsed[0].machine["world"]


@pytest.mark.world
def test_a_screenshot_that_cannot_be_taken_is_listed(rehearsed: tuple[Report, Path]) -> None:
    """There is no pull request to take one of."""
    good = rehearsed[0].stories[1]
    assert good.screenshots == []
    assert list(good.missing_screenshots) == ["The red pull request"]
    assert (
        "pull request" in good.missing_screenshots["The red pull request"]
        or "browser" in good.missing_screenshots["The red pull request"]
    )


@pytest.mark.world
def test_both_files_are_written_and_fit(rehearsed: tuple[Report, Path]) -> None:
    report, page = rehearsed
    written = json.loads((page.parent / "report.json").read_text())
    jsonschema.Draft202012Validator(schema.json_schema()).validate(written)
    html = page.read_text()
    assert "<script>" not in html
    assert html.index("2 of 3 stories failed, 1 not run") < html.index("ZeroDivisionError: an own mistake")
    assert len(report.stories) == len(written["stories"])
