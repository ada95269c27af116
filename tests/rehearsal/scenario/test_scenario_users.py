"""Users' terminals, and the synthetic users who send requests without a pause."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from rehearsal.scenario.assertions import ExpectationFailed, eventually
from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.synthetic_users import CROWD, NOTES, SyntheticUsers
from rehearsal.scenario.user import User
from rehearsal.scenario.world_client import WorldClient
from rehearsal.serving import running
from tests.rehearsal.scenario.scenario_world import world


class Front:
    """Answers for both public hosts, by a script: None is a failure."""

    def __init__(self) -> None:
        self.release: str | None = "v1"
        self.asked: list[tuple[str, str]] = []
        self.broken: dict[tuple[str, str], Response] = {}
        """(method, path) -> what is answered instead."""
        self.notes: list[str] = []

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.headers["host"], request.client.host if request.client else ""))
        if self.release is None:
            return PlainTextResponse("sick", 503)
        if self.release == "garbage":
            return PlainTextResponse("<html>")
        return JSONResponse({"release": self.release})

    async def note(self, request: Request) -> Response:
        """All of /notes."""
        name = str(request.path_params.get("id", ""))
        if request.method == "POST":
            name = f"note-{len(self.notes)}"
            self.notes.append(name)
        path = request.url.path.replace(name, "ID") if name else request.url.path
        good = {
            ("POST", "/notes"): JSONResponse({"id": name}, 201),
            ("GET", "/notes"): JSONResponse({"notes": self.notes}),
            ("GET", "/notes/search"): JSONResponse({"results": self.notes}),
            ("GET", "/notes/ID"): JSONResponse({"id": name}, 200 if name in self.notes else 404),
            ("DELETE", "/notes/ID"): Response(status_code=204 if name in self.notes else 404),
        }
        return {**good, **self.broken}[request.method, path]

    async def api(self, request: Request) -> Response:
        values = {"who": request.headers["authorization"], "path": request.url.path}
        return JSONResponse(values, 201 if request.method == "POST" else 200)


@pytest.fixture
def front() -> Front:
    return Front()


@pytest.fixture
def here(front: Front, tmp_path: Path) -> Iterator[WorldClient]:
    app = Starlette(
        routes=[
            Route("/version", front.answer),
            Route("/config.json", front.answer),
            Route("/notes", front.note, methods=["GET", "POST"]),
            Route("/notes/search", front.note),
            Route("/notes/{id}", front.note, methods=["GET", "DELETE"]),
            Route("/{path:path}", front.api, methods=["GET", "POST"]),
        ]
    )
    with running(app, "front") as server:
        yield world(tmp_path, server.url)


@pytest.fixture
def dev(here: WorldClient) -> User:
    return User(login="dev-1", world=here, log=EventLog(story="a"))


def seen_by(users: SyntheticUsers, release: str, component: str = "backend") -> bool:
    return eventually(
        lambda: any(each.answer == release for each in users.requests[component]),
        f"{release} to be seen",
        seconds=10,
        every=0.01,
    )


def test_users_send_requests_to_both_components_until_the_block_ends(front: Front, here: WorldClient) -> None:
    with SyntheticUsers(world=here, environment="production", every=0.005) as users:
        seen_by(users, "v1")
        seen_by(users, "v1", "web")
        front.release = "v2"
        seen_by(users, "v2")
    counted = len(front.asked)
    assert users.releases("backend") == ["v1", "v2"]
    assert users.failures() == []
    assert {host for host, _ in front.asked} == {"api.techmate.ai", "techmate.ai"}
    of_api = Counter(address for host, address in front.asked if host == "api.techmate.ai")
    assert max(of_api.values()) <= -(-of_api.total() // CROWD), "users take turns: none meets the limit of an address"
    assert all(each.ms > 0 for each in users.requests["web"])
    assert len(front.asked) == counted


@pytest.mark.parametrize(("release", "message"), [(None, "HTTP 503"), ("garbage", "no JSON")])
def test_another_answer_than_expected_is_a_failure(
    front: Front, here: WorldClient, release: str | None, message: str
) -> None:
    front.release = release
    with SyntheticUsers(world=here, environment="production", every=0.005) as users:
        seen_by(users, message)
    assert message in {each.answer for each in users.failures()}
    assert users.releases("backend") == []


def test_users_do_with_their_notes_what_users_do(here: WorldClient) -> None:
    with SyntheticUsers(world=here, environment="production", every=0.001, notes=True) as users:
        seen_by(users, "deletes", NOTES)
    assert [each.answer for each in users.requests[NOTES]][:5] == ["writes", "reads", "searches", "reads", "deletes"]
    assert users.failures() == []
    first, last = users.requests[NOTES][0], users.requests[NOTES][4]
    assert first in users.between(first.at, last.at)
    assert users.between(first.at - 60, first.at - 30) == []


@pytest.mark.parametrize(
    ("method", "path", "answer", "message"),
    [
        ("POST", "/notes", JSONResponse({}, 500), "writes: HTTP 500"),
        ("GET", "/notes", JSONResponse({"notes": []}), "reads: nothing is there"),
        ("GET", "/notes/search", JSONResponse({"results": []}), "searches: nothing is there"),
        ("GET", "/notes/search", PlainTextResponse("<html>"), "searches: no JSON"),
        ("GET", "/notes/ID", JSONResponse({}, 404), "reads: HTTP 404"),
        ("DELETE", "/notes/ID", JSONResponse({}, 500), "deletes: HTTP 500"),
    ],
)
def test_a_user_whose_request_fails_starts_anew(
    front: Front, here: WorldClient, method: str, path: str, answer: Response, message: str
) -> None:
    front.broken[method, path] = answer
    with SyntheticUsers(world=here, environment="production", every=0.001, notes=True) as users:
        seen_by(users, message, NOTES)
        front.broken.clear()
        seen_by(users, "deletes", NOTES)
    lines = [each.answer for each in users.requests[NOTES]]
    assert lines[lines.index(message) + 1] == "writes" or lines[lines.index(message) + 1] == message
    assert {each.answer for each in users.failures()} == {message}


def test_a_front_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    with SyntheticUsers(world=world(tmp_path, "http://127.0.0.1:9"), environment="production", every=0.005) as users:
        seen_by(users, "ConnectError")
    assert users.failures()


def test_a_terminal_is_one_users_and_inherits_nothing(dev: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "mine")
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere:1")
    result = dev.run(sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))", EXTRA="1")
    environ = json.loads(result.out)
    assert environ["GITHUB_TOKEN"] == "token-of-dev-1"
    assert environ["GIT_AUTHOR_NAME"] == "dev-1"
    assert environ["HOME"] == str(dev.world.root / "homes/dev-1")
    assert environ["EXTRA"] == "1"
    assert "HTTPS_PROXY" not in environ


def test_a_command_that_fails_fails_the_story_unless_it_should(dev: User) -> None:
    with pytest.raises(ExpectationFailed, match=r"by dev-1 ended with 3 \(found: no\n\)"):
        dev.run(sys.executable, "-c", "print('no'); raise SystemExit(3)")
    with pytest.raises(ExpectationFailed, match="ended with 0"):
        dev.run(sys.executable, "-c", "", ok=False)
    assert dev.run(sys.executable, "-c", "raise SystemExit(3)", ok=False).code == 3
    assert dev.run(sys.executable, "-c", "raise SystemExit(4)", ok=None).code == 4


def test_what_is_typed_is_logged_as_typed(dev: User) -> None:
    dev.command("git --version")
    dev.command("git no-such-thing 'a b; $(touch x)'", ok=False)
    assert [(event.text, event.user, event.facts["exit"]) for event in dev.log.events] == [
        ("$ git --version", "dev-1", 0),
        ("$ git no-such-thing 'a b; $(touch x)'", "dev-1", 1),
    ]
    assert not list(dev.world.root.rglob("x"))


def test_other_things_happen_while_a_command_runs(dev: User) -> None:
    dev.write("go.py", "import os\nos.mkfifo('gate')\nprint('begun', flush=True)\nopen('gate').read()\nexit(3)\n")
    with dev.start(f"{sys.executable} go.py") as command:
        command.wait_for_output("begun")
        assert command.process.poll() is None
        (dev.clone / "gate").write_text("")
        result = command.wait()
    assert (result.code, result.out, result.err) == (3, "begun\n", "")
    assert [(event.text, event.facts["exit"]) for event in dev.log.events] == [(f"$ {sys.executable} go.py", 3)]


def test_a_command_that_ends_without_what_is_waited_for_is_reported(dev: User) -> None:
    dev.write("go.py", "raise SystemExit('no')")
    with (
        pytest.raises(ExpectationFailed, match=r"ended early with 1 .*no"),
        dev.start(f"{sys.executable} go.py") as command,
    ):
        command.wait_for_output("begun")


def test_a_command_is_killed_at_the_end_of_its_block(dev: User) -> None:
    dev.write("go.py", "import signal\nsignal.pause()\n")
    with pytest.raises(KeyError), dev.start(f"{sys.executable} go.py") as command:
        raise KeyError
    assert command.process.poll() == -9


def test_a_program_of_the_world_is_found_before_the_machines_own(dev: User) -> None:
    dev.world.programs.mkdir()
    (dev.world.programs / "git").write_text("#!/bin/sh\necho another\n")
    (dev.world.programs / "git").chmod(0o755)
    assert dev.run("git", "--version").out == "another\n"


def test_calls_of_the_api_are_below_the_repository_and_by_the_user(dev: User) -> None:
    assert dev.api("POST", "pulls", {}) == {"who": "token token-of-dev-1", "path": "/repos/techmate/platform/pulls"}
    assert dev.api("GET", "/user")["path"] == "/user"
    with pytest.raises(ExpectationFailed, match="GET /user by dev-1 gave 200"):
        dev.api("GET", "/user", ok=(404,))


def test_an_edit_needs_the_text_it_replaces(dev: User) -> None:
    dev.write("a/b.py", "one\ntwo\none\n")
    dev.edit("a/b.py", "one", "three")
    assert (dev.clone / "a/b.py").read_text() == "three\ntwo\none\n"
    with pytest.raises(ExpectationFailed, match=r"a/b.py holds 'four'"):
        dev.edit("a/b.py", "four", "five")


def test_a_world_client_is_read_from_what_a_world_wrote(here: WorldClient, tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    written = {name: getattr(here, name) for name in here.__dataclass_fields__} | {"root": str(here.root), "more": 1}
    file.write_text(json.dumps(written))
    assert WorldClient.read(file).hosts == here.hosts
    assert WorldClient.read(file).root == here.root
