"""What people wait for, and what looking costs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.scenario import assertions as proof
from rehearsal.scenario.event_log import Diary
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user import Person
from rehearsal.serving import running
from tests.rehearsal.scenario.scenario_world import place


class Watched:
    """Run 7: under way for some looks at the world, then as `ended` says. `asked` are the requests to GitHub."""

    def __init__(self) -> None:
        self.looks = 0
        self.ended = "success"
        self.asks_for: list[str] = []
        self.asked: list[str] = []

    async def world(self, request: Request) -> Response:
        self.looks += 1
        early = self.looks < 4
        waits = [] if early else [{"environment": name, "reviewers": ["on-call"]} for name in self.asks_for]
        conclusion = "in_progress" if early or waits else self.ended
        return JSONResponse([{"id": 7, "conclusion": conclusion, "waits_for": waits, "jobs": []}])

    async def github(self, request: Request) -> Response:
        self.asked.append(request.url.path.rpartition("/platform/")[2])
        if request.url.path.endswith("pending_deployments"):
            return JSONResponse([{"environment": {"id": 1, "name": name}} for name in self.asks_for])
        if request.url.path.endswith("jobs"):
            return JSONResponse({"jobs": []})
        return JSONResponse({"name": "CI", "run_number": 1, "conclusion": self.ended})


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def at(watched: Watched, tmp_path: Path) -> Iterator[Routine]:
    app = Starlette(routes=[Route("/_world/runs", watched.world), Route("/{path:path}", watched.github)])
    with running(app, "front") as server:
        here = place(tmp_path, server.url, tokens={"release-manager": "t"})
        made = Routine(place=here, diary=Diary(story="a"))
        made.people["release-manager"] = Person(login="release-manager", place=here, diary=made.diary)
        yield made


def test_waiting_for_a_run_costs_one_request_however_long_it_takes(at: Routine, watched: Watched) -> None:
    assert at.must_end(7, "success")["name"] == "CI"
    assert watched.looks >= 4
    assert watched.asked == ["actions/runs/7"]
    assert at.diary.entries[-1].text == "CI #1: success"


def test_waiting_for_a_question_costs_one_request(at: Routine, watched: Watched) -> None:
    watched.asks_for = ["production-approval"]
    assert at.waiting_for_review(7) == ["production-approval"]
    assert watched.asked == ["actions/runs/7/pending_deployments"]


def test_a_run_that_ends_without_asking_is_said(at: Routine, watched: Watched) -> None:
    watched.ended = "failure"
    with pytest.raises(proof.Disproved, match="run 7 ended with failure before it asked for approval"):
        at.waiting_for_review(7)


def test_a_run_that_ends_otherwise_than_expected_is_said(at: Routine, watched: Watched) -> None:
    watched.ended = "failure"
    with pytest.raises(proof.Disproved, match="CI ended with failure, not success"):
        at.must_end(7, "success")
