"""What is counted as waiting for PostgreSQL, and who is notified."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from backend.database import query_time
from backend.services import Services

TOKEN = "0123456789abcdef"
LOAD = {"X-Shipmate-Load": TOKEN, "X-User": "load-1"}


@pytest.mark.anyio
async def test_a_request_counts_its_own_waiting(connect: Callable[..., AbstractAsyncContextManager[Services]]) -> None:
    async def asked(seconds: float) -> tuple[float, int]:
        with query_time() as waited:
            async with services.database.connection() as connection, connection.transaction():
                await connection.execute("SELECT pg_sleep(%s)", (seconds,))
            await asyncio.sleep(0)
        return waited.seconds, waited.round_trips

    async with connect() as services:
        (slow, round_trips), (quick, _) = await asyncio.gather(asked(0.3), asked(0.0))
    assert slow >= 0.3
    assert quick < slow, "each has its own"
    assert round_trips >= 3, "BEGIN, the query, COMMIT"


def test_load_users_alone_are_notified(start_backend: Callable[..., Any]) -> None:
    with start_backend(PROBE_TOKEN=TOKEN) as backend, httpx.Client(base_url=backend.url) as api:
        answer = api.get("/notes", headers=LOAD)
        (match,) = re.findall(r'^db;dur=(\d+\.\d{3});desc="(\d+) round trips"$', answer.headers["server-timing"])
        assert float(match[0]) > 0
        assert int(match[1]) >= 1
        assert answer.headers["x-ratelimit-limit"] == "100", "limited like any other user"
        assert api.get("/version", headers=LOAD).headers["server-timing"] == 'db;dur=0.000;desc="0 round trips"'
        assert "server-timing" not in api.get("/notes").headers
        assert "server-timing" not in api.get("/notes", headers={**LOAD, "X-Shipmate-Load": "another"}).headers


def test_without_a_token_nobody_is_reported(start_backend: Callable[..., Any]) -> None:
    with start_backend() as backend, httpx.Client(base_url=backend.url) as api:
        assert "server-timing" not in api.get("/notes", headers={**LOAD, "X-Shipmate-Load": ""}).headers
