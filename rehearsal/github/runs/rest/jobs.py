"""Jobs, logs, artifacts."""

from __future__ import annotations

from typing import Any

from starlette.responses import RedirectResponse, Response

from rehearsal.github.problems import not_found
from rehearsal.github.rest import download_links
from rehearsal.github.rest.answers import Answer, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.runs import render
from rehearsal.github.runs.rules import check_download, expires_at
from rehearsal.github.runs.service import archives
from rehearsal.github.runs.service.events import head_repository
from rehearsal.github.runs.service.runs import jobs_of_attempt
from rehearsal.runner.model import Artifact, Job, Run

endpoints = Endpoints()


@endpoints.add("GET", "actions/runs/{run}/jobs", "actions:read")
async def list_jobs(call: Call) -> Answer:
    run = call.instance.run(call.repository, call.number("run"))
    return _listed(call, run, run.jobs if call.query("filter") == "all" else run.latest_jobs())


@endpoints.add("GET", "actions/runs/{run}/attempts/{attempt}/jobs", "actions:read")
async def list_attempt_jobs(call: Call) -> Answer:
    run = call.instance.run(call.repository, call.number("run"))
    jobs = jobs_of_attempt(run, call.number("attempt"))
    if not jobs:
        raise not_found()
    return _listed(call, run, jobs)


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
    return RedirectResponse(download_links.create(call.instance, "job-log", job.id), 302)


@endpoints.add("GET", "actions/runs/{run}/logs", "actions:read")
async def get_run_logs(call: Call) -> Response:
    """A redirect to the archive; 404 until the run has ended."""
    run = call.instance.run(call.repository, call.number("run"))
    if run.status != "completed":
        raise not_found()
    return RedirectResponse(download_links.create(call.instance, "run-logs", f"{run.id}/{run.attempt}"), 302)


@endpoints.add("GET", "actions/runs/{run}/attempts/{attempt}/logs", "actions:read")
async def get_attempt_logs(call: Call) -> Response:
    run, attempt = call.instance.run(call.repository, call.number("run")), call.number("attempt")
    if not jobs_of_attempt(run, attempt) or (attempt == run.attempt and run.status != "completed"):
        raise not_found()
    return RedirectResponse(download_links.create(call.instance, "run-logs", f"{run.id}/{attempt}"), 302)


@endpoints.add("GET", "actions/artifacts", "actions:read")
async def list_all_artifacts(call: Call) -> Answer:
    """Of all runs, newest first."""
    found = [(run, one) for run in reversed(call.instance.runs(call.repository)) for one in run.artifacts]
    found.sort(key=lambda pair: pair[1].created_at)
    found.reverse()
    return _artifacts(call, found)


@endpoints.add("GET", "actions/runs/{run}/artifacts", "actions:read")
async def list_artifacts(call: Call) -> Answer:
    run = call.instance.run(call.repository, call.number("run"))
    return _artifacts(call, [(run, one) for one in run.artifacts])


def _artifacts(call: Call, found: list[tuple[Run, Artifact]]) -> Answer:
    name = call.query("name")
    page = call.page([(run, one) for run, one in found if not name or one.name == name])
    return page.answer([_rendered(call, run, one) for run, one in page.items], key="artifacts")


def _rendered(call: Call, run: Run, artifact: Artifact) -> dict[str, Any]:
    facts = render.ArtifactFacts(
        run=run,
        head_repository=head_repository(call.view, call.repository, run),
        expires_at=expires_at(artifact),
        now=call.instance.now(),
    )
    return render.artifact(call.view, call.repository, artifact, facts)


@endpoints.add("GET", "actions/artifacts/{artifact}", "actions:read")
async def get_artifact(call: Call) -> Answer:
    run, artifact = _artifact(call)
    return ok(_rendered(call, run, artifact))


@endpoints.add("DELETE", "actions/artifacts/{artifact}", "actions:write")
async def delete_artifact(call: Call) -> Answer:
    run, artifact = _artifact(call)
    call.runner.delete_artifact(run.id, artifact.id)
    return no_content()


@endpoints.add("GET", "actions/artifacts/{artifact}/zip", "actions:read")
async def download_artifact(call: Call) -> Response:
    _, artifact = _artifact(call)
    check_download(artifact, call.instance.now())
    return RedirectResponse(download_links.create(call.instance, "artifact", artifact.id), 302)


def _artifact(call: Call) -> tuple[Run, Artifact]:
    found = archives.find_artifact(call.instance.runs(call.repository), call.number("artifact"))
    if found is None:
        raise not_found()
    return found


def _job(call: Call) -> tuple[Run, Job]:
    wanted = call.number("job")
    for run in call.instance.runs(call.repository):
        for job in run.jobs:
            if job.id == wanted:
                return run, job
    raise not_found()
