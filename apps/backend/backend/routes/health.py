"""GET /health, /health/ready, /health/live."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from backend.health import Observation
from backend.services import services_of


async def comprehensive(request: Request) -> Response:
    """Everything, with figures: 200, or 503 when anything is down."""
    return _page(await services_of(request).health.comprehensive(), bad="down")


async def ready(request: Request) -> Response:
    """Whether traffic may come: 503 until the pool (with its schema) and Redis can be used."""
    return _page(await services_of(request).health.readiness(), bad="not ready")


async def live(request: Request) -> Response:
    """Whether the process runs; depends on nothing, since a restart repairs no database."""
    return JSONResponse({"status": "ok"})


def _page(observations: dict[str, Observation], *, bad: str) -> Response:
    ok = all(observation.ok for observation in observations.values())
    checks = {name: observation.as_json() for name, observation in observations.items()}
    return JSONResponse({"status": "ok" if ok else bad, "checks": checks}, status_code=200 if ok else 503)


ROUTES: list[BaseRoute] = [
    Route("/health", comprehensive),
    Route("/health/ready", ready),
    Route("/health/live", live),
]
