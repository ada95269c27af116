"""What a caller gets while the database and Redis are away, and what is answered before either is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from backend.moving_window import SharedWindow
from backend.notes import NoteStore
from backend.services import Services

pytestmark = pytest.mark.anyio
TOKEN = "0123456789abcdef"
ORIGIN = "https://techmate.ai"
Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


async def test_alive_but_not_ready(serve: Serve) -> None:
    async with serve() as api:
        assert (await api.get("/health/live")).status_code == 200
        ready = await api.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        assert ready.json()["checks"] == {
            "database": {"status": "down", "error": "DatabaseUnavailableError"},
            "redis": {"status": "down", "error": "ConnectionError"},
        }


async def test_health_shows_figures_of_what_is_up_and_names_what_is_down(serve: Serve) -> None:
    async with serve() as api:
        page = await api.get("/health")
    checks = page.json()["checks"]
    assert (page.status_code, page.json()["status"]) == (503, "down")
    assert {name: check["status"] for name, check in checks.items()} == {
        "database": "down",
        "redis": "down",
        "memory": "up",
        "disk": "up",
    }
    assert 0 < checks["memory"]["used_bytes"] < checks["memory"]["limit_bytes"]
    assert 0 < checks["disk"]["free_bytes"] < checks["disk"]["total_bytes"]


async def test_version_says_what_runs(serve: Serve) -> None:
    given = {"release": "v1.2.0", "commit": "abc123", "revision": "api-00002", "environment": "staging"}
    async with serve(**given) as api:
        answer = await api.get("/version")
    assert answer.json() == {**given, "schema": 2}


async def test_an_outage_is_a_503_that_the_web_page_may_read(serve: Serve, reported: list[BaseException]) -> None:
    async with serve() as api:
        answer = await api.get("/notes", headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    UUID(answer.headers["x-request-id"])
    assert reported == []


async def test_a_bug_is_a_500_without_details_and_is_reported(serve: Serve, reported: list[BaseException]) -> None:
    class Broken(NoteStore):
        async def newest(self, **_: Any) -> Any:
            raise ZeroDivisionError("inner detail")

    def broken(services: Services) -> Services:
        return dataclasses.replace(services, notes=Broken(services.database))

    async with serve(adapt=broken) as api:
        answer = await api.get("/notes", headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "inner detail" not in answer.text
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert [type(error) for error in reported] == [ZeroDivisionError]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/notes/not-a-uuid", 404, "not_found"),
        ("PUT", "/notes", 405, "method_not_allowed"),
        ("GET", "/notes/search", 400, "bad_request"),
        ("GET", "/notes/search?q=%20", 400, "bad_request"),
        ("GET", "/notes/search?q=" + "x" * 4001, 400, "bad_request"),
        ("GET", "/notes?limit=0", 400, "bad_request"),
        ("GET", "/notes?limit=101", 400, "bad_request"),
        ("GET", "/notes?limit=%D9%A3", 400, "bad_request"),
        ("GET", "/notes?limit=" + "9" * 5000, 400, "bad_request"),
        ("GET", "/notes?before=x", 404, "not_found"),
    ],
)
async def test_refusals_have_one_form(serve: Serve, method: str, path: str, status: int, code: str) -> None:
    async with serve() as api:
        answer = await api.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"text": "x"}', "text/plain", 415),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 413),
        (b"[" * 60_000, "application/json", 400),
        (b'["text"]', "application/json", 400),
        (b'{"text": 1}', "application/json", 400),
        (b'{"text": "  "}', "application/json", 400),
        (b'{"text": "a\\u0000b"}', "application/json", 400),
        (b'{"text": "\\ud800"}', "application/json", 400),
        (b'{"text": "' + b"x" * 4001 + b'"}', "application/json", 400),
    ],
)
async def test_what_is_no_note_is_refused(serve: Serve, content: bytes, kind: str, status: int) -> None:
    async with serve() as api:
        answer = await api.post("/notes", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status


async def test_request_id_is_echoed_or_made(serve: Serve) -> None:
    given = str(uuid4())
    async with serve() as api:
        echoed = await api.get("/version", headers={"X-Request-ID": given.upper()})
        made = await api.get("/version", headers={"X-Request-ID": "1; drop"})
    assert echoed.headers["x-request-id"] == given
    assert UUID(made.headers["x-request-id"]).version == 4


async def test_only_listed_origins_are_named(serve: Serve) -> None:
    async with serve() as api:
        listed = await api.get("/version", headers={"Origin": ORIGIN})
        other = await api.get("/version", headers={"Origin": "https://techmate.ai.evil.test"})
        null = await api.get("/version", headers={"Origin": "null"})
    assert listed.headers["access-control-allow-origin"] == ORIGIN
    for answer in (other, null):
        assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in listed.headers
    assert "x-request-id" in listed.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize(("origin", "status"), [(ORIGIN, 200), ("https://evil.test", 400)])
async def test_preflight(serve: Serve, origin: str, status: int) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    async with serve() as api:
        answer = await api.options("/notes", headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (ORIGIN if status == 200 else None)


async def test_browsers_are_asked_to_stay_on_https_outside_development(serve: Serve) -> None:
    async with serve(environment="production") as api:
        production = await api.get("/version")
    async with serve() as api:
        development = await api.get("/version")
    assert production.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in development.headers
    assert development.headers["x-content-type-options"] == "nosniff"
    assert development.headers["cache-control"] == "no-store"


def forged(number: int) -> dict[str, str]:
    """Every name and address that a caller may write, another each time; the front end appends the real one."""
    written = f"198.51.100.{number}"
    return {
        "X-User": f"user-{number}",
        "X-Shipmate-Load": f"guess-{number:012}",
        "X-Real-IP": written,
        "Forwarded": f"for={written}",
        "X-Forwarded-For": f"{written}, 203.0.113.7",
    }


async def test_the_limit_holds_per_address_whatever_a_caller_writes_and_spares_the_probes(serve: Serve) -> None:
    async with serve(trusted_hops=1, probe_token=TOKEN) as api:
        answers = [await api.get("/version", headers=forged(number)) for number in range(101)]
        other = await api.get("/version", headers={**forged(0), "X-Forwarded-For": "198.51.100.1, 203.0.113.8"})
        probe = await api.get("/health/live", headers=forged(101))
        refused = await api.get("/version", headers={**forged(102), "Origin": ORIGIN})
    assert [answer.status_code for answer in answers] == [200] * 100 + [429]
    assert answers[0].headers["x-ratelimit-remaining"] == "99"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert (other.status_code, probe.status_code) == (200, 200)
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert refused.json()["error"]["code"] == "rate_limited"


async def test_users_of_a_load_test_have_a_limit_each(serve: Serve) -> None:
    async with serve(probe_token=TOKEN) as api:
        asked = [
            await api.get("/version", headers={"X-Shipmate-Load": TOKEN, "X-User": f"user-{number % 2}"})
            for number in range(202)
        ]
    assert [answer.status_code for answer in asked] == [200] * 200 + [429] * 2


async def test_probes_have_a_limit_of_their_own(serve: Serve) -> None:
    probe = {"X-Shipmate-Probe": TOKEN}
    async with serve(probe_token=TOKEN) as api:
        asked = [await api.get("/version", headers=probe) for _ in range(101)]
        user = await api.get("/version")
    assert {answer.status_code for answer in asked} == {200}
    assert (asked[0].headers["x-ratelimit-limit"], asked[-1].headers["x-ratelimit-remaining"]) == ("6000", "5899")
    assert (user.headers["x-ratelimit-limit"], user.headers["x-ratelimit-remaining"]) == ("100", "99")


async def test_probes_are_limited_too(serve: Serve) -> None:
    def narrow(services: Services) -> Services:
        window = SharedWindow(services.redis, namespace="test", limit=2)
        return dataclasses.replace(services, probe_window=window)

    async with serve(probe_token=TOKEN, adapt=narrow) as api:
        asked = [await api.get("/version", headers={"X-Shipmate-Probe": TOKEN}) for _ in range(3)]
    assert [answer.status_code for answer in asked] == [200, 200, 429]
    assert asked[-1].headers["x-ratelimit-limit"] == "2"


@pytest.mark.parametrize(
    ("token", "given"),
    [
        (None, TOKEN),
        (None, ""),
        (None, "None"),
        (TOKEN, ""),
        (TOKEN, TOKEN.upper()),
        (TOKEN, f"{TOKEN}x"),
        (TOKEN, "\xe9"),
    ],
)
async def test_nobody_else_is_taken_for_a_probe(serve: Serve, token: str | None, given: str) -> None:
    async with serve(probe_token=token) as api:
        answer = await api.get("/version", headers=[(b"X-Shipmate-Probe", given.encode("latin-1"))])
    assert answer.headers["x-ratelimit-limit"] == "100"
