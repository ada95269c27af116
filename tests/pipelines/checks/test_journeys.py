"""Journeys against a platform that is well, and against each way in which it is not while its health is."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pipelines.checks import journeys
from pipelines.checks.journeys import Visit, visit
from pipelines.errors import InputError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest import load
from pipelines.manifest.model import Journey, JourneyRequest
from pipelines.overlay import Overlay
from rehearsal.serving import running

DECLARED = load(Path(__file__).parents[3] / "shipmate.yml").journeys
WRITE, READ, OPEN = "write a note and find it", "read the notes", "open the page"
MINUTE = 60_000


@dataclass
class Notes:
    """The platform of this repository, as small as its journeys need it; `ails` says what is wrong with it."""

    ails: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    peers: list[Any] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "DELETE"])])

    async def answer(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.url.path}")
        self.headers.append(dict(request.headers))
        self.peers.append(request.client)
        path = request.url.path
        if path.startswith("/health") or not path.startswith("/notes"):
            return self.page(path)
        if self.ails == "limited" or (self.ails == "limited later" and request.method == "GET"):
            return JSONResponse({"error": "more than 100 requests"}, 429, headers={"Retry-After": "7"})
        if self.ails == "slow" and request.method == "GET":
            await asyncio.sleep(0.5)
        if self.ails == "errors" or (self.ails == "cannot write" and request.method == "POST"):
            return PlainTextResponse("Internal Server Error", 500)
        if self.ails == "cannot list" and path == "/notes" and request.method == "GET":
            return PlainTextResponse("Internal Server Error", 500)
        if request.method == "POST":
            return self.add(json.loads(await request.body())["text"])
        if request.method == "DELETE":
            gone = self.kept.pop(path.removeprefix("/notes/"), None) if self.ails != "keeps" else None
            return Response(status_code=404 if gone is None else 204)
        return self.found(request.query_params.get("q"))

    def add(self, text: str) -> Response:
        made = str(uuid4())
        if self.ails != "forgets":
            self.kept[made] = text
        if self.ails == "no id":
            return JSONResponse({"text": text}, 201)
        return JSONResponse({"id": made, "text": text}, 201)

    def found(self, query: str | None) -> Response:
        notes = [{"id": key, "text": text} for key, text in self.kept.items()]
        if query is None:
            return JSONResponse({"notes": [] if self.ails == "empty" else notes, "next": None})
        if self.ails == "search broken":
            return PlainTextResponse("Internal Server Error", 500)
        matches = [note for note in notes if note["text"] == query and self.ails != "search blind"]
        return JSONResponse({"query": query, "results": matches})

    def page(self, path: str) -> Response:
        script = "" if self.ails == "no script" else '<script type="module" src="/assets/index-abc.js"></script>'
        style = '<link rel="stylesheet" crossorigin href="/assets/index-abc.css">'
        if path == "/":
            return HTMLResponse(f'<html><head>{script}{style}</head><body><div id="root"></div></body></html>')
        if path == "/config.json":
            return JSONResponse({"apiUrl": "https://api.test"})
        if path.startswith("/assets/"):
            if self.ails == "page for all":
                return HTMLResponse('<div id="root"></div>')
            return Response("let x", media_type="text/css" if path.endswith(".css") else "text/javascript")
        return JSONResponse({"status": "ok"})


def patient(journey: Journey, ms: int = MINUTE) -> Journey:
    """With another patience, so that nothing but the fault is slow."""
    return replace(journey, requests=tuple(replace(request, within_ms=ms) for request in journey.requests))


def client() -> Http:
    return Http(overlay=Overlay(), policy=Policy(scale=0.001))


def visited(name: str, ails: str = "", ms: int = MINUTE, **more: Any) -> tuple[Visit, Notes]:
    made = Notes(ails=ails)
    with running(made.app()) as server:
        return visit(patient(DECLARED[name], ms), server.url, client(), **more), made


# what is found ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DECLARED)
def test_a_platform_that_is_well_passes_and_is_left_as_it_was(name: str) -> None:
    found, made = visited(name)
    assert (found.failed, found.limited, found.reason) == (False, False, "")
    assert [asked.request for asked in found.requests] == [
        f"{request.method} {request.path}" for request in DECLARED[name].requests
    ]
    assert found.ms == sum(asked.ms for asked in found.requests) > 0
    assert made.kept == {}


@pytest.mark.parametrize(
    ("name", "ails", "reason"),
    [
        (WRITE, "empty", "GET /notes: does not contain"),
        (WRITE, "forgets", "GET /notes: does not contain"),
        (
            WRITE,
            "search broken",
            "search?q=A+delivery+looks+whether+notes+are+found:+{visit}: answered 500 instead of 200",
        ),
        (WRITE, "search blind", "does not contain"),
        (WRITE, "errors", "POST /notes: answered 500 instead of 201 (Internal Server Error)"),
        (WRITE, "no id", "POST /notes: has no id"),
        (WRITE, "keeps", "DELETE /notes/{note}: answered 404 instead of 204"),
        (READ, "errors", "GET /notes: answered 500 instead of 200"),
        (OPEN, "no script", "GET /: has nothing that matches"),
        (
            OPEN,
            "page for all",
            "GET /{script}: header Content-Type is 'text/html; charset=utf-8', which does not match",
        ),
    ],
)
def test_what_users_would_meet_is_found_while_health_is_well(name: str, ails: str, reason: str) -> None:
    found, _ = visited(name, ails)
    assert (found.failed, found.limited) == (True, False)
    assert reason in found.reason


def test_an_answer_of_another_status_is_not_blamed_for_what_it_lacks_to_go_on() -> None:
    made = Journey(component="backend", requests=(JourneyRequest(path="/notes", save={"note": "id"}),))
    with running(Notes(ails="errors").app()) as server:
        found = visit(made, server.url, client())
    assert found.reason == "GET /notes: answered 500 instead of 200 (Internal Server Error)"


def test_slow_answers_are_found() -> None:
    found, _ = visited(READ, "slow", 250)
    assert found.failed
    assert "more than 250 ms" in found.reason


def test_health_alone_would_have_found_nothing_of_it() -> None:
    made = Journey(component="backend", requests=(JourneyRequest(path="/health/ready"),))
    for ails in ("empty", "search broken", "errors", "slow"):
        with running(Notes(ails=ails).app()) as server:
            assert not visit(made, server.url, client()).failed


# cleaning up ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ails", ["empty", "search broken", "cannot list", "limited later"])
def test_what_a_visit_made_is_removed_when_it_goes_wrong(ails: str) -> None:
    found, made = visited(WRITE, ails)
    assert found.failed or found.limited
    assert made.asked[-1].startswith("DELETE /notes/")
    assert made.kept == {}


def test_what_was_never_made_is_not_removed() -> None:
    found, made = visited(WRITE, "cannot write")
    assert found.failed
    assert made.asked == ["POST /notes"]


def test_a_removal_that_fails_is_reported_beside_the_first_failure() -> None:
    requests = (
        JourneyRequest(method="POST", path="/notes", body='{"text": "x"}', status=201, save={"note": "id"}),
        JourneyRequest(path="/nothing", status=418),
        JourneyRequest(path="/never"),
        JourneyRequest(method="DELETE", path="/notes/{note}", status=204, always=True),
    )
    with running(Notes(ails="keeps").app()) as server:
        found = visit(Journey(component="backend", requests=requests), server.url, client())
    first, second = found.reason.split("; then ")
    assert "GET /nothing: answered 200 instead of 418" in first
    assert "DELETE /notes/{note}: answered 404" in second


# neither well nor failed ------------------------------------------------------------------------------------------------


def test_a_rate_limit_is_neither() -> None:
    found, made = visited(READ, "limited")
    assert (found.failed, found.limited, found.retry_after) == (False, True, 7.0)
    assert found.reason == "GET /notes: answered 429"
    assert len(made.asked) == 1, "it is not tried again here"


def test_a_rate_limit_that_is_expected_is_well() -> None:
    made = Journey(component="backend", requests=(JourneyRequest(path="/notes", status=429),))
    with running(Notes(ails="limited").app()) as server:
        found = visit(made, server.url, client())
    assert (found.failed, found.limited) == (False, False)


# how it is asked --------------------------------------------------------------------------------------------------------


def test_each_visit_writes_something_else() -> None:
    made = Notes(ails="keeps")
    with running(made.app()) as server:
        for _ in range(3):
            visit(patient(DECLARED[WRITE]), server.url, client())
    assert len(set(made.kept.values())) == 3


def test_a_visit_has_a_connection_of_its_own_and_nobodys_cookies() -> None:
    peers: list[Any] = []
    cookies: list[str] = []

    async def answer(request: Request) -> Response:
        peers.append(request.client)
        cookies.append(request.headers.get("cookie", ""))
        return PlainTextResponse("hello", headers={"Set-Cookie": "seat=1"})

    made = Journey(component="web", requests=(JourneyRequest(), JourneyRequest()))
    http = client()
    with running(Starlette(routes=[Route("/", answer)])) as server:
        for _ in range(2):
            assert not visit(made, server.url, http).failed
    assert peers[0] == peers[1] != peers[2] == peers[3]
    assert cookies == ["", "seat=1", "", "seat=1"]


def test_headers_go_with_every_request_and_stand_in_no_result() -> None:
    found, made = visited(WRITE, headers={"X-Shipmate-Probe": "hidden"})
    assert [sent["x-shipmate-probe"] for sent in made.headers] == ["hidden"] * 4
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("a b", "/at/a%20b"),
        ("x?admin=1#top", "/at/x%3Fadmin%3D1%23top"),
        ("\u00e9", "/at/%C3%A9"),
        ("@evil.test/", "/at/%40evil.test/"),
    ],
)
def test_what_an_answer_says_stays_a_part_of_the_path(message: str, asked: str) -> None:
    seen: list[str] = []

    async def answer(request: Request) -> Response:
        seen.append(request.scope["raw_path"].decode() + "?" + request.url.query)
        return JSONResponse({"next": message})

    requests = (JourneyRequest(path="/", save={"next": "next"}), JourneyRequest(path="/at/{next}"))
    with running(Starlette(routes=[Route("/{path:path}", answer)])) as server:
        assert not visit(Journey(component="web", requests=requests), server.url, client()).failed
    assert seen[1] == f"{asked}?"


def test_what_was_taken_fills_every_text() -> None:
    async def answer(request: Request) -> Response:
        body = (await request.body()).decode()
        return JSONResponse({"id": 7, "body": body, "head": request.headers.get("x-note", ""), "redirected": False})

    filled = JourneyRequest(
        path="/{note}",
        method="POST",
        headers={"X-Note": "{note}"},
        body='{"note": {note}}',
        contains=('"id":{note}',),
        json={"head": "{note}", "body": '{"note": {note}}'},
    )
    requests = (JourneyRequest(path="/", save={"note": "id"}), filled)
    with running(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])) as server:
        found = visit(Journey(component="web", requests=requests), server.url, client())
    assert found.reason == ""


# no answer --------------------------------------------------------------------------------------------------------------


def test_nobody_there_is_a_failure_in_words() -> None:
    with running(Notes().app()) as server:
        url = server.url
    found = visit(DECLARED[READ], url, client())
    assert (found.failed, found.reason) == (True, "GET /notes: no answer: connection refused")
    assert found.requests[0].status is None


@contextlib.contextmanager
def streaming(pause: float, chunks: int, chunk: bytes = b"x", *, length: int | None = None) -> Iterator[str]:
    async def body() -> Any:
        for _ in range(chunks):
            yield chunk
            await asyncio.sleep(pause)

    async def answer(_: Request) -> Response:
        return StreamingResponse(body(), headers={} if length is None else {"Content-Length": str(length)})

    with running(Starlette(routes=[Route("/notes", answer)])) as server:
        yield server.url


def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journeys, "TIMEOUT", (2.0, 0.05))
    with streaming(2.0, 1) as url:
        found = visit(DECLARED[READ], url, client())
    assert "no answer in time" in found.reason


def test_an_answer_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journeys, "LONGEST", 0.1)
    with streaming(0.02, 1000) as url:
        found = visit(DECLARED[READ], url, client())
    assert "no answer in time" in found.reason


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journeys, "LARGEST", 2**20)
    with streaming(0.0, 100, b"x" * 2**18) as url:
        found = visit(DECLARED[READ], url, client())
    assert "the answer is larger than 1 MiB" in found.reason


def test_an_answer_that_is_cut_is_a_failure() -> None:
    with streaming(0.0, 1, length=1000) as url:
        found = visit(DECLARED[READ], url, client())
    assert (found.failed, found.requests[0].status) == (True, None)
    assert "no answer" in found.reason


# as checks --------------------------------------------------------------------------------------------------------------


def test_one_check_for_each_journey() -> None:
    backend, web = Notes(ails="empty"), Notes()
    declared = {name: patient(journey) for name, journey in DECLARED.items()}
    with running(backend.app()) as api, running(web.app()) as site:
        report = journeys.report(
            declared,
            {"backend": api.url, "web": site.url},
            client(),
            headers={"backend": {"X-Shipmate-Probe": "hidden"}},
        )
    assert [(result.name, result.component, result.ok) for result in report.results] == [
        (WRITE, "backend", False),
        (READ, "backend", True),
        (OPEN, "web", True),
    ]
    assert report.failures().startswith(f"1 of 3 checks failed: {WRITE} ({api.url}): GET /notes: does not contain")
    assert {sent.get("x-shipmate-probe") for sent in backend.headers} == {"hidden"}
    assert {sent.get("x-shipmate-probe") for sent in web.headers} == {None}
    assert "hidden" not in json.dumps(report.as_json())


def test_a_rate_limit_is_waited_out_as_a_check_and_no_failure() -> None:
    waits: list[float] = []
    made = Notes(ails="limited")

    def let_in(seconds: float) -> None:
        waits.append(seconds)
        made.ails = ""

    http = Http(overlay=Overlay(), policy=Policy(scale=0.001, sleep=let_in))
    with running(made.app()) as server:
        report = journeys.report({READ: patient(DECLARED[READ])}, {"backend": server.url}, http)
    assert waits == [pytest.approx(0.007)]
    assert not report.failed


def test_a_rate_limit_that_stays_leaves_nothing_proved() -> None:
    with running(Notes(ails="limited").app()) as server:
        report = journeys.report({READ: DECLARED[READ]}, {"backend": server.url}, client())
    (result,) = report.results
    assert (result.ok, result.failed, result.limited) == (False, False, True)
    assert report.failed
    assert report.failures() == "nothing was checked: a rate limit (429) refused all of 1 checks"


def test_a_journey_without_an_address_is_named() -> None:
    with pytest.raises(InputError, match="'open the page' is of 'web', which has no address"):
        journeys.report({OPEN: DECLARED[OPEN]}, {"backend": "https://x"}, client())
