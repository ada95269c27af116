"""The whole application without any service: PostgreSQL and Redis are addresses where nobody listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from backend.app import create_app
from backend.services import Services
from backend.settings import Settings

ORIGIN = "https://techmate.ai"
Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def reported() -> list[BaseException]:
    return []


@pytest.fixture
def serve(tmp_path: Path, reported: list[BaseException]) -> Serve:
    """A client of an application with the given settings and, if wanted, other parts."""

    @asynccontextmanager
    async def start(
        *, adapt: Callable[[Services], Services] = lambda services: services, **settings: object
    ) -> AsyncIterator[httpx.AsyncClient]:
        values = {"database_url": f"postgresql:///x?host={tmp_path}", "redis_url": f"unix://{tmp_path}/none"}
        chosen = Settings(**{**values, "cors_origins": (ORIGIN,), **settings})  # type: ignore[arg-type]
        services = adapt(Services.build(chosen, patience=0.02))
        app = create_app(services, report=reported.append)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
        ):
            yield client

    return start
