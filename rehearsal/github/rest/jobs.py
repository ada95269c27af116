"""Jobs, logs, artifacts."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from rehearsal.github.changes import archives
from rehearsal.github.problems import not_found
from rehearsal.github.render import runs as render
from rehearsal.github.rest.answers import Answer, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.rest.runs import jobs_of_attempt
from rehearsal.runner.model import Artifact, Job, Run

endpoints = Endpoints()


@endpoints.add("GET", "actions/runs/{run}/jobs", "actions:read")
async def list_jobs(call: Call) -> Answer:
    run = call.service.run(call.repository, call.number("run"))
    return _listed(call, run, run.jobs if call.query("filter") == "all" else run.latest_jobs())


@endpoints.add("GET", "actions/runs/{run}/attempts/{attempt}/jobs", "actions:read")
async def list_attempt_jobs(call: Call) -> Answer:
    run = call.service.run(call.repository, call.number("run"))
    return _listed(call, run, jobs_of_attempt(run, call.number("attempt")))


def _listed(call: Call, run: Run, jobs: list[Job]) -> Answer:
    page = call.page(jobs)
    return page.answer([render.job(call.view, call.repository, run, one) for one in page.items], key="jobs")


@endpoints.add("GET", "actions/jobs/{job}", "actions:read")
async def get_job(call: Call) -> Answer:
    run, job = _job(call)
    return ok(render.job(call.view, call.repository, run, job))


@endpoints.add("GET", "actions/jobs/{job}/logs", "actions:read")
async def get_job_logs(call: Call) -> Response:
    """A redirect to the text; 404 until the job has ended, as on GitHub."""
    _, job = _job(call)
    if job.status != "completed":
        raise not_found()
    return RedirectResponse(archives.address(call.service, "job-log", job.id), 302)


@endpoints.add("GET", "actions/runs/{run}/logs", "actions:read")
async def get_run_logs(call: Call) -> Response:
    """A redirect to the archive; 404 until the run has ended."""
    run = call.service.run(call.repository, call.number("run"))
    if run.status != "completed":
        raise not_found()
    return RedirectResponse(archives.address(call.service, "run-logs", f"{run.id}/{run.attempt}"), 302)


@endpoints.add("GET", "actions/runs/{run}/attempts/{attempt}/logs", "actions:read")
async def get_attempt_logs(call: Call) -> Response:
    run, attempt = call.service.run(call.repository, call.number("run")), call.number("attempt")
    if not jobs_of_attempt(run, attempt) or (attempt == run.attempt and run.status != "completed"):
        raise not_found()
    return RedirectResponse(archives.address(call.service, "run-logs", f"{run.id}/{attempt}"), 302)


@endpoints.add("GET", "actions/artifacts", "actions:read")
async def list_all_artifacts(call: Call) -> Answer:
    found = [(run, one) for run in call.service.runs(call.repository) for one in run.artifacts]
    return _artifacts(call, found)


@endpoints.add("GET", "actions/runs/{run}/artifacts", "actions:read")
async def list_artifacts(call: Call) -> Answer:
    run = call.service.run(call.repository, call.number("run"))
    return _artifacts(call, [(run, one) for one in run.artifacts])


def _artifacts(call: Call, found: list[tuple[Run, Artifact]]) -> Answer:
    name = call.query("name")
    page = call.page([(run, one) for run, one in found if not name or one.name == name])
    rendered = [render.artifact(call.view, call.repository, run, one) for run, one in page.items]
    return page.answer(rendered, key="artifacts")


@endpoints.add("GET", "actions/artifacts/{artifact}", "actions:read")
async def get_artifact(call: Call) -> Answer:
    run, artifact = _artifact(call)
    return ok(render.artifact(call.view, call.repository, run, artifact))


@endpoints.add("GET", "actions/artifacts/{artifact}/zip", "actions:read")
async def download_artifact(call: Call) -> Response:
    _, artifact = _artifact(call)
    return RedirectResponse(archives.address(call.service, "artifact", artifact.id), 302)


def _artifact(call: Call) -> tuple[Run, Artifact]:
    found = archives.find_artifact(call.service.runs(call.repository), call.number("artifact"))
    if found is None:
        raise not_found()
    return found


def _job(call: Call) -> tuple[Run, Job]:
    wanted = call.number("job")
    for run in call.service.runs(call.repository):
        for job in run.jobs:
            if job.id == wanted:
                return run, job
    raise not_found()
