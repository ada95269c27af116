"""HTTP of jobs in the Admin API v2 (discovery document run.v2): jobs, executions, tasks."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.cloud_run.checking import Checks, answered, listed, location_of, parent_of
from rehearsal.emulators.cloud_run.job_views import execution_json, job_json, task_json
from rehearsal.emulators.cloud_run.jobs import Jobs
from rehearsal.emulators.cloud_run.names import JobName
from rehearsal.emulators.cloud_run.tasks import Tasks
from rehearsal.emulators.google.errors import GoogleError, not_found
from rehearsal.emulators.google.wire import flag, json_body

_LOCATION = "/v2/projects/{project}/locations/{location}"
_JOB = _LOCATION + "/jobs/{job}"
_EXECUTION = _JOB + "/executions/{execution}"


class JobRoutes:
    """The endpoints, over `Jobs`."""

    def __init__(self, jobs: Jobs, tasks: Tasks, checks: Checks) -> None:
        self._jobs = jobs
        self._tasks = tasks
        self._checks = checks

    def routes(self) -> list[Route]:
        """Custom verbs (`:run`) come first: a path parameter would swallow them."""
        return [
            Route(_JOB + ":run", self._run, methods=["POST"]),
            Route(_EXECUTION + "/tasks", self._list_tasks, methods=["GET"]),
            Route(_EXECUTION, self._get_execution, methods=["GET"]),
            Route(_JOB + "/executions", self._list_executions, methods=["GET"]),
            Route(_JOB, self._get, methods=["GET"]),
            Route(_JOB, self._patch, methods=["PATCH"]),
            Route(_JOB, self._delete, methods=["DELETE"]),
            Route(_LOCATION + "/jobs", self._list, methods=["GET"]),
            Route(_LOCATION + "/jobs", self._create, methods=["POST"]),
            Route("/_inspect/executions/{execution}/logs", self._logs, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        body = await json_body(request)
        principal = self._checks.require(request, "jobs.create")
        self._checks.require_act_as(request, body.get("template", {}).get("template", {}))
        name = JobName(*location_of(request), request.query_params.get("jobId", ""))
        return answered(self._jobs.create(name, body, principal=principal, dry=flag(request, "validateOnly")))

    async def _patch(self, request: Request) -> Response:
        body = await json_body(request)
        principal = self._checks.require(request, "jobs.update")
        self._checks.require_act_as(request, body.get("template", {}).get("template", {}))
        if flag(request, "allowMissing"):
            raise GoogleError("UNIMPLEMENTED", "The rehearsal's Cloud Run makes a job by POST alone.")
        return answered(self._jobs.patch(_job(request), body, principal=principal, dry=flag(request, "validateOnly")))

    async def _run(self, request: Request) -> Response:
        body = await json_body(request)
        principal = self._checks.require(request, "jobs.run")
        return answered(self._jobs.run(_job(request), body, principal=principal))

    async def _get(self, request: Request) -> Response:
        self._checks.require(request, "jobs.get")
        return JSONResponse(job_json(self._jobs.get(_job(request))))

    async def _list(self, request: Request) -> Response:
        self._checks.require(request, "jobs.list")
        return listed(request, "jobs", [job_json(job) for job in self._jobs.all(parent_of(request))])

    async def _delete(self, request: Request) -> Response:
        self._checks.require(request, "jobs.delete")
        return answered(self._jobs.delete(_job(request), etag=request.query_params.get("etag")))

    async def _get_execution(self, request: Request) -> Response:
        self._checks.require(request, "executions.get")
        found = self._jobs.execution(_job(request), request.path_params["execution"])
        return JSONResponse(execution_json(found))

    async def _list_executions(self, request: Request) -> Response:
        self._checks.require(request, "executions.list")
        executions = self._jobs.executions(_job(request))
        return listed(request, "executions", [execution_json(execution) for execution in executions])

    async def _list_tasks(self, request: Request) -> Response:
        self._checks.require(request, "tasks.list")
        execution = self._jobs.execution(_job(request), request.path_params["execution"])
        return listed(request, "tasks", [task_json(execution)] if execution.started else [])

    async def _logs(self, request: Request) -> Response:
        wanted = request.path_params["execution"]
        executions = (each for job in self._jobs.all() for each in job.executions.values())
        found = next((each for each in executions if each.name == wanted), None)
        if found is None:
            raise not_found(f"executions/{wanted}")
        return JSONResponse({"execution": wanted, "lines": [asdict(line) for line in self._tasks.logs(found)]})


def _job(request: Request) -> JobName:
    return JobName(*location_of(request), request.path_params["job"])
