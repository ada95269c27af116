"""The story of the bad releases: what they do is what it says of them, and it reads the gate and the traffic from what others said."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.user import CommandResult
from rehearsal.stories import bad_backend, bad_releases
from rehearsal.stories.bad_releases import CHECKS, COMPARISON, WATCH

ROOT = Path(__file__).parents[3]
NOTES = ("/notes", "/notes/search", "/notes/1")
WELL = {"notes": ["1"], "results": ["1"], "id": "1"}


async def well(request: Request) -> Response:
    return JSONResponse(WELL)


class Backend:
    """A backend in which all is well, under the name of a release."""

    def __init__(self, release: str) -> None:
        route = Route("/{path:path}", well, methods=["GET", "POST", "DELETE"])
        self._app = bad_backend.Misbehaviour(Starlette(routes=[route]), release=release, workers=False)

    def ask(self, path: str, method: str = "GET", times: int = 1) -> list[httpx.Response]:
        return asyncio.run(self._ask(path, method, times))

    async def _ask(self, path: str, method: str, times: int) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://backend") as client:
            return [await client.request(method, path) for _ in range(times)]


def statuses(release: str, path: str, times: int) -> list[int]:
    return [answer.status_code for answer in Backend(release).ask(path, times=times)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bad_backend, "SLOW", bad_backend.Fault(seconds=0.001))
    monkeypatch.setattr(bad_backend, "VERY_SLOW", bad_backend.Fault(seconds=0.001))


def test_every_one_has_a_line_and_a_behaviour() -> None:
    named = [bad.release for bad in bad_releases.BAD]
    assert sorted(named) == sorted(bad_backend.BEHAVIOURS)
    assert len(named) == 13


@pytest.mark.parametrize("release", bad_backend.BEHAVIOURS)
def test_all_start_well(release: str) -> None:
    assert statuses(release, "/health/ready", 1) == [200]


@pytest.mark.parametrize("path", NOTES)
def test_a_good_name_does_no_harm(path: str) -> None:
    (answer,) = Backend("as-good-as-before").ask(path)
    assert answer.json() == WELL


@pytest.mark.parametrize(
    ("release", "method", "path", "status", "body"),
    [
        ("bad-dead", "GET", "/version", 503, {"error": "it is away"}),
        ("bad-empty", "GET", "/notes", 200, {"notes": [], "next": None}),
        ("bad-blind", "GET", "/notes/search", 500, {"error": "it is broken"}),
        ("bad-finds-nothing", "GET", "/notes/search", 200, {"query": "", "results": []}),
        ("bad-cannot-delete", "DELETE", "/notes/1", 500, {"error": "it is broken"}),
    ],
)
def test_what_is_always_wrong(release: str, method: str, path: str, status: int, body: Any) -> None:
    (answer,) = Backend(release).ask(path, method)
    assert (answer.status_code, answer.json()) == (status, body)


@pytest.mark.parametrize(("release", "share"), [("bad-fails-a-fifth", 0.2), ("bad-fails-a-tenth", 0.1)])
def test_what_is_wrong_by_chance(release: str, share: float) -> None:
    failed = statuses(release, "/notes", 600).count(500)
    assert abs(failed / 600 - share) < 0.1, "six standard deviations"
    assert set(statuses(release, "/version", 50)) == {200}


def test_notes_that_are_not_kept_look_as_if_they_were() -> None:
    answers = Backend("bad-forgetful").ask("/notes", "POST", times=200)
    assert 5 < sum(answer.json()["id"] != "1" for answer in answers) < 100


def test_one_that_wears_out() -> None:
    assert statuses("bad-wears-out", "/notes", 62) == [200] * 60 + [500] * 2


def asked() -> bad_backend.Ask:
    return bad_backend.Ask(method="GET", path="/notes", number=1, chance=0.5, workers=False)


@pytest.mark.parametrize("release", ["bad-fails-with-traffic", "bad-slow-with-traffic"])
def test_what_is_wrong_with_traffic_alone(release: str) -> None:
    behaviour, without = bad_backend.BEHAVIOURS[release], asked()
    assert behaviour(without) is None
    assert behaviour(replace(without, workers=True)) is not None


@pytest.mark.parametrize(("release", "slow"), [("bad-slow", True), ("bad-sometimes-slow", False)])
def test_slow_ones_answer_well(release: str, slow: bool) -> None:
    behaviour = bad_backend.BEHAVIOURS[release]
    assert (behaviour(asked()) is not None) == slow
    assert behaviour(replace(asked(), chance=0.05)) is not None
    assert Backend(release).ask("/notes")[0].json() == WELL


def test_it_fits_into_this_platform() -> None:
    app, manifest = ((ROOT / name).read_text() for name in (bad_releases.APP, "shipmate.yml"))
    assert app.count(bad_releases.IMPORTS) == app.count(bad_releases.INNERMOST) == 1
    assert manifest.count(bad_releases.STAGING_SHIFT) == 1
    assert "rehearsal" not in "".join(
        line for line in Path(bad_backend.__file__).read_text().splitlines() if line.startswith(("import ", "from "))
    )


def failed_step(step: str) -> CommandResult:
    return CommandResult(
        code=7, out="", err=f"Check failed: backend, step 7/11 ({step}): backend, at 10 %: it is worse\n  why: …"
    )


@pytest.mark.parametrize(
    ("step", "gate"),
    [
        ("4 checks of the candidate at its own address", CHECKS),
        ("compare bad-slow with what is live, without traffic: 156 visits in 8 s for 1 step", COMPARISON),
        ("give 10 % of the traffic to bad-slow, and compare it with api-00002: 600 visits in 30 s (at most)", WATCH),
    ],
)
def test_the_gate_is_what_the_command_names(step: str, gate: str) -> None:
    assert bad_releases.gate_of(failed_step(step)) == gate


@pytest.mark.parametrize("step", ["give 50 % of the traffic to bad-slow", "push the image"])
def test_another_step_is_no_gate(step: str) -> None:
    assert bad_releases.gate_of(failed_step(step)) == failed_step(step).err


class World:
    """Knows of shifts of traffic."""

    def __init__(self, *shifts: tuple[float, str, str, str]) -> None:
        names = ("at", "environment", "component", "text")
        self.shifts = [dict(zip(names, shift, strict=True)) for shift in shifts]

    def inspect(self, what: str) -> Any:
        assert what == "traffic-changes"
        return self.shifts


def test_the_traffic_that_one_had() -> None:
    world = World(
        (5, "staging", "backend", "bad-slow 100 %"),
        (11, "production", "backend", "bad-slow 50 %, v1 50 %"),
        (12, "staging", "backend", "bad-slow-with-traffic 10 %, sha-1 90 %"),
        (14, "staging", "web", "sha-1 100 %"),
        (15, "staging", "backend", "sha-1 100 %"),
    )
    scenario = Scenario(world=cast(Any, world), log=EventLog(story="a"))
    assert bad_releases.traffic_of(scenario, "bad-slow-with-traffic", 10, 20) == (10, 12, 15)
    assert bad_releases.traffic_of(scenario, "bad-slow", 10, 20) == (0, 20, 20)
    assert bad_releases.traffic_of(scenario, "bad-slow-with-traffic", 10, 13) == (10, 12, 13)
