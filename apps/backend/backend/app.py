"""Assembles the application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from backend.answers import refused
from backend.middleware.failures import Failures
from backend.middleware.rate_limit import RateLimit
from backend.middleware.request_log import RequestLog
from backend.middleware.security_headers import SecurityHeaders
from backend.middleware.server_timing import ServerTiming
from backend.routes import health, notes, version
from backend.services import Services
from backend.telemetry import Report

_STOP_SECONDS = 5.0
_EXPOSED = ("X-Request-ID", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-Cache", "Location")


def create_app(services: Services, *, report: Report) -> Starlette:
    """The application over `services`; it opens and closes them, and runs a worker where the settings say so."""
    app = Starlette(
        routes=[*health.ROUTES, *version.ROUTES, *notes.ROUTES],
        middleware=_middleware(services, report),
        exception_handlers={HTTPException: refused},
        lifespan=_lifespan(services, report),
    )
    app.state.services = services
    return app


def _middleware(services: Services, report: Report) -> list[Middleware]:
    return [
        Middleware(RequestLog),
        Middleware(ServerTiming, token=services.settings.probe_token),
        Middleware(SecurityHeaders, https_only=services.settings.environment != "development"),
        # Only listed origins are ever named in an answer, and none may send credentials.
        Middleware(
            CORSMiddleware,
            allow_origins=services.settings.cors_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Content-Type", "X-Request-ID"),
            expose_headers=_EXPOSED,
            max_age=600,
        ),
        Middleware(Failures, report=report),
        Middleware(
            RateLimit,
            admit=services.window.admit,
            trusted_hops=services.settings.trusted_hops,
            admit_probe=services.probe_window.admit,
            probe_token=services.settings.probe_token,
        ),
    ]


def _lifespan(services: Services, report: Report) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await services.database.open()
        try:
            if services.settings.workers:
                async with _working(services, report):
                    yield
            else:
                yield
        finally:
            await services.close()

    return lifespan


@asynccontextmanager
async def _working(services: Services, report: Report) -> AsyncIterator[None]:
    worker = services.worker(report)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        async with asyncio.timeout(_STOP_SECONDS):
            await task
