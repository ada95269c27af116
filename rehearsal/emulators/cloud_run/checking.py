"""What every endpoint of the Admin API does: asks who may call, and answers with an operation or a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.cloud_run.operations import Operation
from rehearsal.emulators.google.access import Authorise
from rehearsal.emulators.google.wire import page
from rehearsal.emulators.refusal import bearer


class Checks:
    """Who may call."""

    def __init__(self, authorise: Authorise) -> None:
        self._authorise = authorise

    def require(self, request: Request, permission: str) -> str:
        """Who calls, by their token. `permission` is without `run.`. Raises GoogleError UNAUTHENTICATED or PERMISSION_DENIED."""
        resource = request.url.path.removeprefix("/v2/").partition(":")[0]
        return self._authorise(bearer(request), f"run.{permission}", resource)

    def require_act_as(self, request: Request, template: Mapping[str, Any]) -> None:
        """Who makes something run as an account must be allowed to act as it. `template`: of the revision or task. Raises GoogleError."""
        account = str(template.get("serviceAccount", ""))
        if account:
            project = account.partition("@")[2].removesuffix(".iam.gserviceaccount.com")
            resource = f"projects/{project or request.path_params['project']}/serviceAccounts/{account}"
            self._authorise(bearer(request), "iam.serviceAccounts.actAs", resource)


def location_of(request: Request) -> tuple[str, str]:
    """Project and location of a path."""
    return request.path_params["project"], request.path_params["location"]


def parent_of(request: Request) -> str:
    """`projects/P/locations/L` of a path."""
    project, location = location_of(request)
    return f"projects/{project}/locations/{location}"


def answered(operation: Operation) -> Response:
    """An operation as it is now."""
    return JSONResponse(operation.json())


def listed(request: Request, key: str, items: Sequence[dict[str, Any]]) -> Response:
    """One page of a list."""
    shown, following = page(request, items)
    body: dict[str, Any] = {key: list(shown)}
    return JSONResponse({**body, "nextPageToken": following} if following else body)
