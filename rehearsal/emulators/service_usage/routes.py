"""HTTP of Service Usage (discovery documents serviceusage.v1 and, for quotas, serviceusage.v1beta1), as far as it is read.

Of quotas there is one metric, Cloud Run's CPU in a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.google.access import Authorise
from rehearsal.emulators.google.errors import exception_handlers, invalid
from rehearsal.emulators.google.wire import page
from rehearsal.emulators.refusal import bearer
from rehearsal.emulators.service_usage.state import CATALOG, Project, Usage, known
from rehearsal.emulators.service_usage.views import RUN, metric_json, service_json

_SERVICES = "/v1/projects/{project}/services"
_METRICS = "/v1beta1/projects/{project}/services/{service}/consumerQuotaMetrics"


class UsageRoutes:
    """The endpoints, over one `Usage`."""

    def __init__(self, usage: Usage, authorise: Authorise) -> None:
        self._usage = usage
        self._authorise = authorise

    def app(self) -> Starlette:
        """The whole API."""
        routes = [
            Route(_SERVICES, self._list, methods=["GET"]),
            Route(_SERVICES + "/{service}", self._get, methods=["GET"]),
            Route(_METRICS, self._metrics, methods=["GET"]),
        ]
        return Starlette(routes=routes, exception_handlers=exception_handlers())

    async def _list(self, request: Request) -> Response:
        project = self._asked(request, "services.list")
        wanted = _state_filter(request.query_params.get("filter", ""))
        shown = [service_json(project, service) for service in sorted(CATALOG)]
        return _page(request, "services", [each for each in shown if wanted in ("", each["state"])])

    async def _get(self, request: Request) -> Response:
        project = self._asked(request, "services.get")
        return JSONResponse(service_json(project, known(request.path_params["service"])))

    async def _metrics(self, request: Request) -> Response:
        project = self._asked(request, "quotas.get")
        full = request.query_params.get("view") == "FULL"
        service = known(request.path_params["service"])
        return _page(request, "metrics", [metric_json(project, full=full)] if service == RUN else [])

    def _asked(self, request: Request, permission: str) -> Project:
        """The project, when the caller may ask about it. Raises GoogleError."""
        project = self._usage.id_of(request.path_params["project"])
        self._authorise(bearer(request), f"serviceusage.{permission}", f"projects/{project}")
        return self._usage.project(project)


def _page(request: Request, key: str, items: Sequence[dict[str, Any]]) -> Response:
    shown, following = page(request, items)
    body: dict[str, Any] = {key: list(shown)} if shown else {}
    return JSONResponse({**body, "nextPageToken": following} if following else body)


def _state_filter(text: str) -> str:
    if text not in ("", "state:ENABLED", "state:DISABLED"):
        raise invalid("filter", "allowed are state:ENABLED and state:DISABLED.")
    return text.partition(":")[2]
