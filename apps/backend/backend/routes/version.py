"""GET /version."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from backend.database import SCHEMA
from backend.services import services_of


async def version(request: Request) -> Response:
    """What is running. `schema` is the number of the last migration this code needs."""
    settings = services_of(request).settings
    return JSONResponse(
        {
            "release": settings.release,
            "commit": settings.commit,
            "revision": settings.revision,
            "environment": settings.environment,
            "schema": SCHEMA,
        }
    )


ROUTES: list[BaseRoute] = [Route("/version", version)]
