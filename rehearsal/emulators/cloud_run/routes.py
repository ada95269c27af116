"""HTTP of the Admin API v2 (discovery document run.v2): services, revisions, operations. Jobs are job_routes.py's; IAM is not emulated.

Beside it `/_inspect/…`, for people: what a revision has printed, and what runs.
"""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.cloud_run.checking import Checks, answered, listed, location_of, parent_of
from rehearsal.emulators.cloud_run.fleets import Fleets
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.cloud_run.state import Services
from rehearsal.emulators.cloud_run.views import revision_json, service_json
from rehearsal.emulators.google.errors import not_found
from rehearsal.emulators.google.wire import duration, flag, json_body

_LOCATION = "/v2/projects/{project}/locations/{location}"
_SERVICE = _LOCATION + "/services/{service}"
_REVISION = _SERVICE + "/revisions/{revision}"
_OPERATION = _LOCATION + "/operations/{operation}"


class RunRoutes:
    """The endpoints, over `Services`."""

    def __init__(self, services: Services, fleets: Fleets, checks: Checks) -> None:
        self._services = services
        self._fleets = fleets
        self._checks = checks

    def routes(self) -> list[Route]:
        """Custom verbs (`:wait`) come first: a path parameter would swallow them."""
        return [
            Route(_OPERATION + ":wait", self._wait_operation, methods=["POST"]),
            Route(_OPERATION, self._get_operation, methods=["GET"]),
            Route(_OPERATION, self._delete_operation, methods=["DELETE"]),
            Route(_LOCATION + "/operations", self._list_operations, methods=["GET"]),
            Route(_REVISION, self._get_revision, methods=["GET"]),
            Route(_REVISION, self._delete_revision, methods=["DELETE"]),
            Route(_SERVICE + "/revisions", self._list_revisions, methods=["GET"]),
            Route(_SERVICE, self._get, methods=["GET"]),
            Route(_SERVICE, self._patch, methods=["PATCH"]),
            Route(_SERVICE, self._delete, methods=["DELETE"]),
            Route(_LOCATION + "/services", self._list, methods=["GET"]),
            Route(_LOCATION + "/services", self._create, methods=["POST"]),
            Route("/_inspect/revisions/{revision}/logs", self._logs, methods=["GET"]),
            Route("/_inspect/processes", self._processes, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        body = await json_body(request)
        name = ServiceName(*location_of(request), request.query_params.get("serviceId", ""))
        principal = self._checks.require(request, "services.create")
        self._checks.require_act_as(request, body.get("template", {}))
        return answered(self._services.create(name, body, principal=principal, dry=flag(request, "validateOnly")))

    async def _patch(self, request: Request) -> Response:
        body = await json_body(request)
        allow_missing = flag(request, "allowMissing")
        principal = self._checks.require(request, "services.update")
        if allow_missing:
            self._checks.require(request, "services.create")
        self._checks.require_act_as(request, body.get("template", {}))
        operation = self._services.patch(
            _service(request),
            body,
            principal=principal,
            mask=request.query_params.get("updateMask", ""),
            allow_missing=allow_missing,
            dry=flag(request, "validateOnly"),
            force=flag(request, "forceNewRevision"),
        )
        return answered(operation)

    async def _get(self, request: Request) -> Response:
        self._checks.require(request, "services.get")
        return JSONResponse(service_json(self._services.get(_service(request))))

    async def _list(self, request: Request) -> Response:
        self._checks.require(request, "services.list")
        services = self._services.all(parent_of(request))
        return listed(request, "services", [service_json(service) for service in services])

    async def _delete(self, request: Request) -> Response:
        self._checks.require(request, "services.delete")
        etag = request.query_params.get("etag")
        return answered(self._services.delete(_service(request), etag=etag, dry=flag(request, "validateOnly")))

    async def _get_revision(self, request: Request) -> Response:
        self._checks.require(request, "revisions.get")
        revision = self._services.revision(_service(request), request.path_params["revision"])
        return JSONResponse(revision_json(revision))

    async def _list_revisions(self, request: Request) -> Response:
        self._checks.require(request, "revisions.list")
        revisions = self._services.revisions(_service(request))
        return listed(request, "revisions", [revision_json(revision) for revision in revisions])

    async def _delete_revision(self, request: Request) -> Response:
        self._checks.require(request, "revisions.delete")
        operation = self._services.delete_revision(
            _service(request),
            request.path_params["revision"],
            etag=request.query_params.get("etag"),
            dry=flag(request, "validateOnly"),
        )
        return answered(operation)

    async def _get_operation(self, request: Request) -> Response:
        self._checks.require(request, "operations.get")
        return answered(self._services.operations.get(_operation(request)))

    async def _wait_operation(self, request: Request) -> Response:
        self._checks.require(request, "operations.get")
        seconds = duration((await json_body(request)).get("timeout", "60s"), field="timeout")
        return answered(await self._services.operations.wait(_operation(request), seconds))

    async def _list_operations(self, request: Request) -> Response:
        self._checks.require(request, "operations.list")
        operations = self._services.operations.all(parent_of(request))
        return listed(request, "operations", [operation.json() for operation in operations])

    async def _delete_operation(self, request: Request) -> Response:
        self._checks.require(request, "operations.delete")
        self._services.operations.delete(_operation(request))
        return JSONResponse({})

    async def _logs(self, request: Request) -> Response:
        wanted, project = request.path_params["revision"], request.query_params.get("project")
        found = [
            {"service": str(service.name), "lines": [asdict(line) for line in self._fleets.logs(revision)]}
            for service in self._services.all()
            for revision in service.revisions.values()
            if revision.name == wanted and project in (None, service.name.project)
        ]
        if not found:
            raise not_found(f"revisions/{wanted}")
        return JSONResponse({"revision": wanted, "logs": found})

    async def _processes(self, _request: Request) -> Response:
        running = {
            service.name.revision(revision.name): pids
            for service in self._services.all()
            for revision in service.revisions.values()
            if (pids := self._fleets.pids(revision))
        }
        return JSONResponse(running)


def _service(request: Request) -> ServiceName:
    return ServiceName(*location_of(request), request.path_params["service"])


def _operation(request: Request) -> str:
    return f"{parent_of(request)}/operations/{request.path_params['operation']}"
