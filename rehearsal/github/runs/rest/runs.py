"""Workflow runs: listing, re-running, cancelling, approving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rehearsal.github.accounts.rules import check_no_app
from rehearsal.github.deployments import render as render_deployments
from rehearsal.github.deployments.state import Deployment
from rehearsal.github.environments.service import ensure
from rehearsal.github.problems import Problem, not_found, unprocessable
from rehearsal.github.rest.answers import Answer, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.runs import render
from rehearsal.github.runs.rules import check_cancel, check_rerun
from rehearsal.github.runs.service import events as workflow_runs
from rehearsal.github.runs.service import runs, workflows
from rehearsal.runner.hub import NotAllowed
from rehearsal.runner.model import Run

endpoints = Endpoints()


async def rendered(call: Call, run: Run) -> dict[str, Any]:
    """A run as the API has it."""
    return await workflow_runs.rendered(call.instance, call.view, call.repository, run)


@endpoints.add("GET", "actions/runs", "actions:read")
async def list_runs(call: Call) -> Answer:
    return await _listed(call, call.instance.runs(call.repository))


@endpoints.add("GET", "actions/workflows/{workflow}/runs", "actions:read")
async def list_workflow_runs(call: Call) -> Answer:
    workflow = await workflows.find(call.instance, call.repository, call.path("workflow"))
    return await _listed(
        call, [run for run in call.instance.runs(call.repository) if run.workflow_path == workflow.path]
    )


async def _listed(call: Call, found: list[Run]) -> Answer:
    wanted: dict[str, Callable[[Run], str]] = {
        "branch": lambda run: run.head_branch,
        "event": lambda run: run.event.name,
        "actor": lambda run: run.event.actor,
        "head_sha": lambda run: run.head_sha,
    }
    for name, read in wanted.items():
        if value := call.query(name):
            found = [run for run in found if read(run) == value]
    if status := call.query("status"):
        found = [run for run in found if status in (run.status, run.conclusion)]
    if created := call.query("created"):
        found = [run for run in found if in_range(run.created_at, created)]
    if suite := call.query("check_suite_id"):
        of_suite = call.repository.check_suites.get(int(suite)) if suite.isdigit() else None
        found = [run for run in found if of_suite is not None and run.id == of_suite.run_id]
    page = call.page(found)
    return page.answer([await rendered(call, run) for run in page.items], key="workflow_runs")


@endpoints.add("GET", "actions/runs/{run}", "actions:read")
async def get_run(call: Call) -> Answer:
    return ok(await rendered(call, _run(call)))


@endpoints.add("DELETE", "actions/runs/{run}", "actions:write")
async def delete_run(call: Call) -> Answer:
    """Anybody who may write may."""
    runs.delete(call.instance, call.runner, call.repository, _run(call))
    return no_content()


@endpoints.add("GET", "actions/runs/{run}/attempts/{attempt}", "actions:read")
async def get_attempt(call: Call) -> Answer:
    run, attempt = _run(call), call.number("attempt")
    body = await rendered(call, run)
    if attempt == run.attempt:
        return ok(body)
    known = next((one for one in call.repository.attempts.get(run.id, []) if one.number == attempt), None)
    if known is None:
        raise not_found()
    return ok({**body, **render.attempt(call.view, call.repository, run, known)})


@endpoints.add("GET", "actions/runs/{run}/timing", "actions:read")
async def get_timing(call: Call) -> Answer:
    return ok(render.usage(_run(call), call.instance.now()))


@endpoints.add("POST", "actions/runs/{run}/force-cancel", "actions:write")
@endpoints.add("POST", "actions/runs/{run}/cancel", "actions:write")
async def cancel_run(call: Call) -> Answer:
    run = _run(call)
    check_cancel(run)
    await call.runner.cancel(run.id)
    return Answer(status=202, body={})


@endpoints.add("POST", "actions/runs/{run}/rerun", "actions:write")
async def rerun(call: Call) -> Answer:
    return await _again(call, failed_only=False)


@endpoints.add("POST", "actions/runs/{run}/rerun-failed-jobs", "actions:write")
async def rerun_failed_jobs(call: Call) -> Answer:
    return await _again(call, failed_only=True)


async def _again(call: Call, *, failed_only: bool) -> Answer:
    run = _run(call)
    check_rerun(run, call.instance.now(), failed_only=failed_only)
    await call.runner.rerun(run.id, failed_only=failed_only, actor=call.identity.login)
    return Answer(status=201, body={})


@endpoints.add("GET", "actions/runs/{run}/pending_deployments", "actions:read")
async def list_pending(call: Call) -> Answer:
    run = _run(call)
    return ok(
        [
            render.pending(
                call.view,
                call.repository,
                run,
                ensure(call.instance, call.repository, one.environment),
                one,
                call.identity.login,
            )
            for one in call.runner.pending(run.id)
        ]
    )


@endpoints.add("POST", "actions/runs/{run}/pending_deployments", "deployments:write", role="read")
async def review_pending(call: Call) -> Answer:
    """Approve or reject. Raises Problem 422 for environments that do not wait, 403 for who may not."""
    run, fields = _run(call), call.fields
    ids = fields.values.get("environment_ids") or []
    waiting = {one.environment for one in call.runner.pending(run.id)}
    named = {one.id: one.name for one in call.repository.environments.values()}
    names = [named.get(number, "") for number in ids] if isinstance(ids, list) else []
    if not names or not waiting.issuperset(names):
        raise unprocessable("No pending deployment requests to approve or reject for these environments")
    check_no_app(call.identity)
    state = fields.choice("state", ("approved", "rejected"))
    try:
        await call.runner.review(run.id, names, state, call.user.login, fields.required_text("comment"))
    except NotAllowed as error:
        raise Problem(403, str(error) or "You are not a required reviewer of this deployment.") from error
    deployed = [one for one in _deployments(call, run) if one.environment in names]
    return ok([render_deployments.deployment(call.view, call.repository, one) for one in deployed])


def _deployments(call: Call, run: Run) -> list[Deployment]:
    jobs = {job.id for job in run.jobs}
    return [one for one in call.repository.deployments.values() if one.job_id in jobs]


@endpoints.add("GET", "actions/runs/{run}/approvals", "actions:read")
async def list_approvals(call: Call) -> Answer:
    known = list(call.repository.environments.values())
    return ok([render.approval(call.view, call.repository, one, known) for one in _run(call).reviews])


def _run(call: Call) -> Run:
    return call.instance.run(call.repository, call.number("run"))


def in_range(at: datetime, wanted: str) -> bool:
    """GitHub's date syntax: `2026-11-22`, `>=2026-11-22`, `2026-11-01..2026-11-22`; times are allowed as well."""
    shown = at.isoformat().replace("+00:00", "Z")
    if ".." in wanted:
        low, _, high = wanted.partition("..")
        return (low in ("", "*") or shown >= low) and (high in ("", "*") or shown[: len(high)] <= high)
    for sign in (">=", "<=", ">", "<"):
        if wanted.startswith(sign):
            limit = wanted.removeprefix(sign)
            short = shown[: len(limit)]
            return {">=": short >= limit, "<=": short <= limit, ">": short > limit, "<": short < limit}[sign]
    return shown.startswith(wanted)
