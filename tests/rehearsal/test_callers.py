"""A web page that someone reads while a world is up: it may neither change nor read anything there."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.callers import KnownCallers, Token
from rehearsal.serving import Server, running

TOKEN = "of-the-control-port"


async def effect(request: Request) -> Response:
    return JSONResponse({"path": request.url.path})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    app = Starlette(routes=[Route("/{path:path}", effect, methods=["GET", "POST", "PUT", "DELETE"])])
    with running(KnownCallers(app, lambda: {"api.vercel.com", "techmate.ai", "*.run.app"})) as started:
        yield started


def status(server: Server, method: str, **headers: str) -> int:
    return requests.request(
        method, f"{server.url}/x", headers={name.replace("_", "-"): value for name, value in headers.items()}, timeout=5
    ).status_code


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4001",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "vercel.com",
        "techmate.ai.evil.example",
        "192.168.0.7",
        "0.0.0.0",  # noqa: S104
        "a.b.run.app",
        "[::1",
    ],
)
def test_a_name_that_was_rebound_to_this_machine_is_not_served(server: Server, method: str, host: str) -> None:
    # To a browser the page is of the same origin as what it asks.
    assert status(server, method, Host=host, Origin=f"http://{host}", Sec_Fetch_Site="same-origin") == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://localhost:5173", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1", "Sec_Fetch_Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://techmate.ai.evil.example"},
        {"Origin": "https://techmate.ai@evil.example"},
        {"Origin": "https://[evil"},
    ],
)
def test_a_page_of_another_site_changes_nothing(server: Server, method: str, headers: dict[str, str]) -> None:
    assert status(server, method, **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "api.vercel.com"},
        {"Host": "backend-1.run.app"},
        {"Host": "localhost:8080"},
        {"Host": "api.github.localhost"},
        {"Host": "[::1]:80"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "null"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "https://techmate.ai", "Sec_Fetch_Site": "cross-site"},
        {"Host": "localhost:8080", "Origin": "http://localhost:8080"},
    ],
)
def test_programs_and_its_own_pages_are_served(server: Server, headers: dict[str, str]) -> None:
    assert status(server, "POST", **headers) == 200


def test_a_foreign_page_may_link_here(server: Server) -> None:
    assert status(server, "GET", Sec_Fetch_Site="cross-site", Origin="https://evil.example") == 200


def test_a_client_without_a_host_is_no_browser(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /x HTTP/1.0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"bearer {TOKEN}", TOKEN, "Bearer é"]
)
def test_without_its_token_a_port_does_nothing(method: str, given: str | None) -> None:
    app = Starlette(routes=[Route("/{path:path}", effect, methods=["GET", "POST"])])
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    with running(Token(app, TOKEN)) as started:
        assert requests.request(method, f"{started.url}/x", headers=headers, timeout=5).status_code == 401
        good = {"Authorization": f"Bearer {TOKEN}"}
        assert requests.request(method, f"{started.url}/x", headers=good, timeout=5).status_code == 200
