"""What scenarios wait for, and how many requests that costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.scenario.assertions import ExpectationFailed
from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.user import User
from rehearsal.serving import running
from tests.rehearsal.scenario.scenario_world import world


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
def scenario(watched: Watched, tmp_path: Path) -> Iterator[Scenario]:
    app = Starlette(routes=[Route("/_world/runs", watched.world), Route("/{path:path}", watched.github)])
    with running(app, "front") as server:
        here = world(tmp_path, server.url, tokens={"release-manager": "t"})
        made = Scenario(world=here, log=EventLog(story="a"))
        made.users["release-manager"] = User(login="release-manager", world=here, log=made.log)
        yield made


def test_waiting_for_a_run_costs_one_request_however_long_it_takes(scenario: Scenario, watched: Watched) -> None:
    assert scenario.expect_conclusion(7, "success")["name"] == "CI"
    assert watched.looks >= 4
    assert watched.asked == ["actions/runs/7"]
    assert scenario.log.events[-1].text == "CI #1: success"


def test_waiting_for_a_review_costs_one_request(scenario: Scenario, watched: Watched) -> None:
    watched.asks_for = ["production-approval"]
    assert scenario.wait_for_review(7) == ["production-approval"]
    assert watched.asked == ["actions/runs/7/pending_deployments"]


def test_a_run_that_ends_without_asking_is_reported(scenario: Scenario, watched: Watched) -> None:
    watched.ended = "failure"
    with pytest.raises(ExpectationFailed, match="run 7 ended with failure before it asked for approval"):
        scenario.wait_for_review(7)


def test_a_run_that_ends_otherwise_than_expected_is_reported(scenario: Scenario, watched: Watched) -> None:
    watched.ended = "failure"
    with pytest.raises(ExpectationFailed, match="CI ended with failure, not success"):
        scenario.expect_conclusion(7, "success")


def test_an_app_that_is_not_ready_at_its_first_request_is_asked_again(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def releases(_: Scenario, environment: str) -> dict[str, str]:
        asked.append(environment)
        if len(asked) == 1:
            raise ValueError("Expecting value: line 1 column 1 (char 0)")
        return {"backend": "v1.0.0"}

    monkeypatch.setattr(Scenario, "public_releases", releases)
    scenario.start_apps()
    assert asked == ["production", "production"]
