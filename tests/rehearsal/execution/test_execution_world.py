"""Whole rehearsals with stories of one minute's fun: told, photographed, reported; failures are part of the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from rehearsal.execution import rehearsal as telling
from rehearsal.report import schema
from rehearsal.report.model import Report
from rehearsal.scenario import assertions as proof
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user_traffic import Observer
from rehearsal.stories.table import START, Story

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class Tale(Story):
    """A story that is told by a function."""

    by: Callable[[Routine], None]
    module: str = ""

    def tell(self, at: Routine) -> None:
        self.by(at)


def issue(at: Routine) -> None:
    """Somebody writes an issue; a push to main is refused; a client asks for a site that is not there."""
    dev = at.person("dev-1")
    with Observer(place=at.place, environment="production", every=0.01) as users:
        dev.types("git status --short")
        dev.writes("a.txt", "text\n")
        dev.git("add", "-A")
        dev.git("commit", "-q", "-m", "docs: add a text")
        dev.types("git push -q origin main", ok=False)
        proof.eventually(lambda: users.failures() or None, "somebody to ask", seconds=20)
    sights = {k: [[s.at, s.ms, s.ok, s.seen] for s in v] for k, v in users.sights.items()}
    at.diary.note("users", "what users saw meanwhile", sights=sights)
    with at.diary.during("proof", "an issue is there"):
        dev.api("POST", "issues", {"title": "<script>alert(1)</script>"})


def wrong(at: Routine) -> None:
    with at.diary.during("proof", "two is three"):
        proof.that(1 + 1 == 3, "two is three", 2)


def broken(at: Routine) -> None:
    raise ZeroDivisionError("an own mistake")


STORIES = (
    Tale(name=START, title="The start", by=wrong, starts_released=False),
    Tale(name="red-pull-request", title="An issue", by=issue, starts_released=False),
    Tale(name="mistake", title="A mistake", by=broken, starts_released=False),
    Tale(name="rollback", title="Never told", by=issue),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Report, Path]]:
    yield telling.rehearse(ROOT, STORIES, tmp_path_factory.mktemp("told") / "report")


@pytest.mark.long
@pytest.mark.world
def test_each_story_has_its_outcome_and_what_needs_the_start_is_not_told(told: tuple[Report, Path]) -> None:
    report, _ = told
    assert {story.name: story.passed for story in report.stories} == {
        START: False,
        "red-pull-request": True,
        "mistake": False,
    }
    assert report.untold == ["rollback"]
    assert not report.passed
    assert report.stories[0].problem == "two is three (found: 2)"
    assert report.stories[2].problem.startswith("Traceback")
    assert report.stories[2].problem.rstrip().endswith("ZeroDivisionError: an own mistake")


@pytest.mark.world
def test_the_report_holds_what_people_did_and_users_saw(told: tuple[Report, Path]) -> None:
    good = told[0].stories[1]
    acts = [(entry.text, entry.facts["exit"]) for entry in good.entries if entry.kind == "act"]
    assert acts == [("$ git status --short", 0), ("$ git push -q origin main", 1)]
    assert good.scenes[0].users["backend"]
    assert not any(sight.ok for sight in good.scenes[0].users["backend"])
    assert told[0].checked.requests["github"] > 0
    assert told[0].checked.violations == []
    assert "world ready in" in told[0].machine["world"]


@pytest.mark.world
def test_a_picture_that_cannot_be_taken_is_told(told: tuple[Report, Path]) -> None:
    """There is no pull request to photograph."""
    good = told[0].stories[1]
    assert good.pictures == []
    assert list(good.missing) == ["The red pull request"]
    assert "pull request" in good.missing["The red pull request"] or "browser" in good.missing["The red pull request"]


@pytest.mark.world
def test_both_files_are_written_and_fit(told: tuple[Report, Path]) -> None:
    report, page = told
    written = json.loads((page.parent / "report.json").read_text())
    jsonschema.Draft202012Validator(schema.json_schema()).validate(written)
    html = page.read_text()
    assert "<script>" not in html
    assert html.index("2 of 3 stories failed, 1 not told") < html.index("ZeroDivisionError: an own mistake")
    assert len(report.stories) == len(written["stories"])
