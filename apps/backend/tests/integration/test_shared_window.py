"""The window in Redis decides exactly like the one in memory, which the property tests hold to the definition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from random import Random

import pytest
from backend.moving_window import LocalWindow, SharedWindow
from backend.services import Services

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Services]]
LIMIT, SECONDS = 5, 60


def shared(services: Services, *, limit: int = LIMIT) -> SharedWindow:
    return SharedWindow(services.redis, namespace=services.settings.redis_namespace, limit=limit, seconds=SECONDS)


@pytest.mark.parametrize("seed", range(3))
async def test_it_decides_like_the_local_window(connect: Connect, seed: int) -> None:
    random, now = Random(seed), 0  # noqa: S311
    local = LocalWindow(limit=LIMIT, seconds=SECONDS, clock=lambda: now)
    async with connect() as services:
        window = shared(services)
        for _ in range(80):
            now += random.choice([0, 0, 1, 5, 12, 20, 60])
            user = random.choice(["dev-1", "dev-2"])
            assert await window.admit(user, at=now * 1_000_000) == local.admit(user)


async def test_instances_share_one_window_also_when_they_ask_at_once(connect: Connect) -> None:
    async with connect() as one, connect() as two:
        windows = [shared(one, limit=100), shared(two, limit=100)]
        verdicts = await asyncio.gather(*(windows[number % 2].admit("dev-1") for number in range(150)))
    assert sum(verdict.admitted for verdict in verdicts) == 100
    assert sorted(verdict.remaining for verdict in verdicts if verdict.admitted) == list(range(100))


async def test_a_refused_request_does_not_prolong_the_wait(connect: Connect) -> None:
    async with connect() as services:
        window = shared(services)
        for _ in range(LIMIT):
            assert (await window.admit("dev-1", at=0)).admitted
        for second in (10, 20, 59):
            verdict = await window.admit("dev-1", at=second * 1_000_000)
            assert (verdict.admitted, verdict.retry_after) == (False, 60 - second)
        assert (await window.admit("dev-1", at=60 * 1_000_000)).admitted


async def test_an_idle_user_is_forgotten(connect: Connect) -> None:
    async with connect() as services:
        window = SharedWindow(services.redis, namespace=services.settings.redis_namespace, limit=LIMIT, seconds=0.05)
        await window.admit("dev-1")
        (key,) = await services.redis.keys(f"{services.settings.redis_namespace}:rate:*")
        assert 0 < await services.redis.pttl(key) <= 50
