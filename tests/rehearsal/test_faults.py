from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.control import control_app
from rehearsal.faults import BadFault, Fault, Faults, Faulty
from rehearsal.journal import Journal, Journaled
from rehearsal.scenario.assertions import eventually
from rehearsal.serving import Server, running


class Provider:
    """Counts what reaches it."""

    def __init__(self) -> None:
        self.effects = 0
        self.faults = Faults()
        self.journal = Journal()
        inner = Starlette(routes=[Route("/{rest:path}", self._act, methods=["GET", "POST", "DELETE"])])
        self.app = Journaled(Faulty(inner, "vercel", self.faults), "vercel", self.journal)

    async def _act(self, request: Request) -> Response:
        await request.body()
        self.effects += 1
        return JSONResponse({"done": self.effects}, 201)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def server(provider: Provider) -> Iterator[Server]:
    with running(provider.app) as running_server:
        yield running_server


def outcome(server: Server, method: str = "POST", path: str = "/v13/deployments", **options: Any) -> int | str:
    try:
        return requests.request(method, server.url + path, timeout=10, **options).status_code
    except requests.ConnectionError:
        return "cut"


def _two(entries: list[Any]) -> list[Any] | None:
    return entries if len(entries) == 2 else None


def test_cut_breaks_the_connection_and_nothing_happens(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="cut"))
    assert [outcome(server), outcome(server)] == ["cut", 201]
    assert provider.effects == 1
    # An answer may be read before the journal has it.
    written = eventually(lambda: _two(provider.journal.entries()), "two entries", seconds=5, every=0.01)
    assert [entry.status for entry in written] == [None, 201]


def test_lose_answer_breaks_the_connection_after_the_effect(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="lose_answer"))
    assert outcome(server, json={"name": "web"}) == "cut"
    assert provider.effects == 1


def test_cut_while_a_large_body_is_sent(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="cut"))
    assert outcome(server, data=b"x" * 5_000_000) == "cut"


def test_a_kept_alive_connection_is_cut_too(provider: Provider, server: Server) -> None:
    with requests.Session() as session:
        assert session.get(server.url, timeout=5).status_code == 201
        provider.faults.add(Fault(kind="cut"))
        with pytest.raises(requests.ConnectionError):
            session.get(server.url, timeout=5)
        assert session.get(server.url, timeout=5).status_code == 201


def test_throttle_says_when_to_come_back(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="throttle", retry_after=7))
    answer = requests.post(server.url, data=b"x" * 1_000_000, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert provider.effects == 0


def test_status_with_a_body_of_its_own(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="status", status=502, body={"oops": True}))
    answer = requests.post(server.url, timeout=5)
    assert (answer.status_code, answer.json()) == (502, {"oops": True})
    provider.faults.add(Fault(kind="status"))
    answer = requests.post(server.url, timeout=5)
    assert answer.status_code == 503
    assert answer.json()["message"] == answer.json()["error"]["message"]


def test_a_limit_that_only_its_text_shows_can_be_set(provider: Provider, server: Server) -> None:
    """GitHub's secondary limit: 403, words, and none of the headers that clients look at."""
    values = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    provider.faults.add(Fault(kind="status", status=403, body=values))
    answer = requests.post(server.url, timeout=5)
    assert (answer.status_code, answer.json()) == (403, values)
    assert not [name for name in answer.headers if "limit" in name.lower() or name.lower() == "retry-after"]
    assert provider.effects == 0


def test_delay_only_delays(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="delay", seconds=0.2))
    began = time.perf_counter()
    assert outcome(server) == 201
    assert time.perf_counter() - began >= 0.2


def test_times_and_after_choose_which_requests_are_hit(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="status", after=1, times=2))
    assert [outcome(server) for _ in range(5)] == [201, 503, 503, 201, 201]


def test_without_a_limit_every_request_is_hit(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="status", times=None))
    assert [outcome(server) for _ in range(3)] == [503, 503, 503]


@pytest.mark.parametrize(
    ("aim", "hit"),
    [
        ({"method": "POST", "path": r"^/v13/deployments$"}, True),
        ({"method": "GET"}, False),
        ({"path": r"^/v13/deployments/"}, False),
        ({"emulator": "vercel"}, True),
        ({"emulator": "github"}, False),
        ({"host": "api.vercel.com"}, True),
        ({"host": "techmate.ai"}, False),
    ],
)
def test_only_what_is_aimed_at_is_hit(provider: Provider, server: Server, aim: dict[str, Any], hit: bool) -> None:
    armed = provider.faults.add(Fault(kind="status", **aim))
    assert outcome(server, headers={"Host": "api.vercel.com:443"}) == (503 if hit else 201)
    assert (armed.matched, armed.fired) == (int(hit), int(hit))


@pytest.mark.parametrize(("by", "hit"), [("job", True), ("dev-1", False), (None, True)])
def test_who_asks_can_be_aimed_at(by: str | None, hit: bool) -> None:
    faults = Faults()
    inner = Starlette(routes=[Route("/{rest:path}", lambda request: Response(status_code=204))])
    with running(Faulty(inner, "github", faults, lambda scope: {"job", "github-actions[bot]"})) as server:
        armed = faults.add(Fault(kind="status", by=by))
        assert requests.get(server.url, timeout=5).status_code == (503 if hit else 204)
        assert (armed.matched, armed.fired) == (int(hit), int(hit))


def test_where_nobody_can_be_distinguished_a_fault_for_someone_hits_nobody(provider: Provider, server: Server) -> None:
    armed = provider.faults.add(Fault(kind="status", by="job"))
    assert outcome(server) == 201
    assert armed.matched == 0


def test_one_request_is_hit_by_one_fault_and_the_next_by_the_next(provider: Provider, server: Server) -> None:
    provider.faults.add(Fault(kind="throttle"))
    provider.faults.add(Fault(kind="cut"))
    assert [outcome(server), outcome(server), outcome(server)] == [429, "cut", 201]
    assert [(fired.number, fired.kind, fired.path) for fired in provider.faults.fired] == [
        (1, "throttle", "/v13/deployments"),
        (2, "cut", "/v13/deployments"),
    ]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"kind": "explode"}, "kind"),
        ({"kind": "cut", "path": "("}, "path"),
        ({"kind": "cut", "times": "3"}, "times"),
        ({"kin": "cut"}, "kin"),
        ({}, "kind"),
        ([], "object"),
    ],
)
def test_a_fault_that_cannot_be_meant_names_its_field(data: Any, names: str) -> None:
    with pytest.raises(BadFault, match=names):
        Fault.from_json(data)


def test_the_control_port_sets_and_lists(provider: Provider, server: Server) -> None:
    with running(control_app(provider.faults, provider.journal, [])) as control:
        faults, journal = f"{control.url}/_world/faults", f"{control.url}/_world/journal"
        wanted = [{"kind": "status", "emulator": "vercel", "times": 1}, {"kind": "cut", "path": "^/never"}]
        added = requests.post(faults, json=wanted, timeout=5)
        assert added.status_code == 201
        assert [armed["number"] for armed in added.json()] == [1, 2]
        assert outcome(server) == 503
        listed = requests.get(faults, timeout=5).json()
        assert [(armed["number"], armed["fired"]) for armed in listed["armed"]] == [(1, 1), (2, 0)]
        assert [(fired["kind"], fired["emulator"]) for fired in listed["fired"]] == [("status", "vercel")]
        assert requests.delete(f"{faults}/2", timeout=5).status_code == 204
        assert requests.delete(f"{faults}/2", timeout=5).status_code == 404
        assert requests.delete(faults, timeout=5).json()["armed"] == []
        entries = requests.get(journal, params={"emulator": "vercel", "after": "0"}, timeout=5).json()
        assert [(entry["method"], entry["status"]) for entry in entries] == [("POST", 503)]
        assert requests.get(journal, params={"after": "1"}, timeout=5).json() == []
        assert requests.get(journal, params={"after": "x"}, timeout=5).status_code == 422
        assert requests.get(f"{control.url}/_world/violations", timeout=5).json() == []


@pytest.mark.parametrize(
    ("sent", "status"), [(b"{", 400), (b'{"kind": "explode"}', 422), (b'[{"kind":"cut"},{}]', 422)]
)
def test_the_control_port_refuses_what_is_no_fault(provider: Provider, sent: bytes, status: int) -> None:
    with running(control_app(provider.faults, provider.journal, [])) as control:
        answer = requests.post(f"{control.url}/_world/faults", data=sent, timeout=5)
    assert (answer.status_code, provider.faults.armed) == (status, [])
