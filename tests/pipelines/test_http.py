"""The HTTP client against a real server: retries, lost answers, the overlay with and without TLS."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable
from pipelines.faults import MayHaveHappened, Policy
from pipelines.http import Http
from pipelines.overlay import Overlay
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running


class Other:
    """A provider that counts what reaches it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.faults = Faults()
        self.app = Faulty(
            Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "PUT"])]), "other", self.faults
        )

    async def answer(self, request: Request) -> Response:
        await asyncio.sleep(0)
        self.seen.append((request.method, request.headers["host"], request.url.path))
        status = re.search(r"(\d{3})$", request.url.path)
        return JSONResponse({"path": request.url.path}, int(status.group(1)) if status else 200)


@pytest.fixture
def other() -> Iterator[tuple[Other, Http]]:
    provider = Other()
    with running(provider.app) as server:
        overlay = Overlay(hosts={"provider.test": server.url}, time_scale=0.001)
        yield provider, Http(overlay=overlay, policy=Policy(tries=3, scale=0.001))


def test_the_real_host_name_reaches_the_provider(other: tuple[Other, Http]) -> None:
    provider, http = other
    assert http.json("GET", "https://provider.test/things") == {"path": "/things"}
    assert provider.seen == [("GET", "provider.test", "/things")]


@pytest.mark.parametrize("kind", ["cut", "lose_answer", "throttle", "status"])
def test_a_read_survives(other: tuple[Other, Http], kind: str) -> None:
    provider, http = other
    provider.faults.add(Fault.from_json({"kind": kind, "times": 2}))
    assert http.json("GET", "https://provider.test/things") == {"path": "/things"}


@pytest.mark.parametrize("kind", ["cut", "lose_answer", "status"])
def test_an_unclear_write_is_sent_once(other: tuple[Other, Http], kind: str) -> None:
    provider, http = other
    provider.faults.add(Fault.from_json({"kind": kind}))
    with pytest.raises(MayHaveHappened):
        http.request("POST", "https://provider.test/things", json={})
    assert len(provider.seen) == (1 if kind == "lose_answer" else 0)


def test_a_limited_write_is_sent_again(other: tuple[Other, Http]) -> None:
    provider, http = other
    provider.faults.add(Fault.from_json({"kind": "throttle"}))
    assert http.request("POST", "https://provider.test/things", json={}).status_code == 200
    assert len(provider.seen) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_limit_that_only_its_text_tells_is_waited_for(other: tuple[Other, Http], stream: bool) -> None:
    provider, http = other
    values = {"message": "You have exceeded a secondary rate limit."}
    provider.faults.add(Fault(kind="status", status=403, body=values))
    with http.request("GET", "https://provider.test/things", stream=stream) as answer:
        assert answer.json() == {"path": "/things"}


def test_tries_are_bounded(other: tuple[Other, Http]) -> None:
    provider, http = other
    provider.faults.add(Fault.from_json({"kind": "status", "times": None}))
    with pytest.raises(ProviderUnavailable, match="3 tries"):
        http.request("GET", "https://provider.test/things?key=private")
    assert len(provider.faults.fired) == 3


def test_nobody_listening_is_unavailable() -> None:
    http = Http(overlay=Overlay(hosts={"provider.test": "http://127.0.0.1:9"}), policy=Policy(tries=2, scale=0.001))
    with pytest.raises(ProviderUnavailable, match="connection refused"):
        http.request("POST", "https://provider.test/things", json={})


@pytest.mark.parametrize(
    ("status", "kind"), [(401, CredentialsError), (403, CredentialsError), (404, ProviderError), (422, ProviderError)]
)
def test_refusals(other: tuple[Other, Http], status: int, kind: type[Exception]) -> None:
    _, http = other
    with pytest.raises(kind, match=f"HTTP {status}"):
        http.json("GET", f"https://provider.test/{status}")


def test_errors_never_show_a_query(other: tuple[Other, Http]) -> None:
    _, http = other
    with pytest.raises(ProviderError) as caught:
        http.json("GET", "https://provider.test/404?token=private")
    assert "private" not in str(caught.value)
