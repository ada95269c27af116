"""Worlds for the runner's tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.runner.clock import Clock
from rehearsal.runner.engine import ActRunner
from rehearsal.runner.settings import Settings
from rehearsal.serving import Server
from tests.rehearsal.runner.small_hub import SmallHub, World

Worlds = Callable[..., contextlib.AbstractAsyncContextManager[World]]


@pytest.fixture
def world(tmp_path: Path) -> Worlds:
    @contextlib.asynccontextmanager
    async def running(clock: Clock | None = None, **settings: Any) -> AsyncIterator[World]:
        hub = SmallHub(tmp_path / "git")
        server = Server(hub.app(), "git")
        await server.start()
        hub.url = server.url
        chosen = Settings(root=tmp_path / "runner", **settings)
        runner = ActRunner(hub, chosen, clock)
        await runner.start()
        try:
            yield World(hub, runner, chosen)
        finally:
            await runner.stop()
            await server.stop()

    return running


@pytest.fixture
def run_async() -> Callable[[Awaitable[Any]], Any]:
    async def bounded(work: Awaitable[Any]) -> Any:
        return await asyncio.wait_for(work, 120)

    return lambda work: asyncio.run(bounded(work))
