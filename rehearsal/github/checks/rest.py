"""Statuses, check runs, check suites."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rehearsal.github.checks import render, service
from rehearsal.github.checks.rules import check_may_report, check_may_update, latest_statuses
from rehearsal.github.checks.state import CheckAnnotation, CheckRun, CheckSuite
from rehearsal.github.problems import Problem, not_found, unprocessable
from rehearsal.github.rest.answers import Answer, created, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.rest.fields import Fields

endpoints = Endpoints()

_STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
_CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out")
_MOST_ANNOTATIONS = 50
"""In one request."""


@endpoints.add("POST", "statuses/{sha}", "statuses:write")
async def create_status(call: Call) -> Answer:
    fields = call.fields
    sha = await call.git.peel(call.path("sha"))
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {call.path('sha')}")
    status = await service.add_status(
        call.instance,
        call.repository,
        sha,
        state=fields.choice("state", ("error", "failure", "pending", "success")),
        context=fields.text("context", "default"),
        description=fields.maybe_text("description"),
        target_url=fields.maybe_text("target_url"),
        by=call.identity,
    )
    body = render.status(call.view, call.repository, status)
    return created(body, body["url"])


@endpoints.add("GET", "commits/{ref:path}/statuses", "statuses:read")
async def list_statuses(call: Call) -> Answer:
    sha = await call.commit(call.path("ref"))
    page = call.page(call.repository.statuses_of(sha))
    return page.answer([render.status(call.view, call.repository, one) for one in page.items])


@endpoints.add("GET", "commits/{ref:path}/status", "statuses:read")
async def combined_status(call: Call) -> Answer:
    sha = await call.commit(call.path("ref"))
    page = call.page(latest_statuses(call.repository, sha))
    body = render.combined_status(call.view, call.repository, sha, list(page.items))
    return Answer(body=body, headers=page.links)


@endpoints.add("POST", "check-runs", "checks:write")
async def create_check_run(call: Call) -> Answer:
    """For apps only: a user's token cannot, whatever it is allowed."""
    app_id = check_may_report(call.identity)
    name, sha = call.fields.required_text("name"), await call.commit(call.fields.required_text("head_sha"))
    branch = next((name for name, tip in call.git.branches().items() if tip == sha), None)
    run = service.add_check_run(
        call.instance, call.repository, name, service.api_suite(call.instance, call.repository, sha, branch, app_id)
    )
    run.started_at = call.instance.now()
    _apply(call, run)
    body = render.check_run(call.view, call.repository, run)
    return created(body, body["url"])


@endpoints.add("PATCH", "check-runs/{check}", "checks:write")
async def update_check_run(call: Call) -> Answer:
    check_may_report(call.identity)
    run = _check(call)
    check_may_update(call.identity, run)
    _apply(call, run)
    return ok(render.check_run(call.view, call.repository, run))


@endpoints.add("GET", "check-runs/{check}", "checks:read")
async def get_check_run(call: Call) -> Answer:
    return ok(render.check_run(call.view, call.repository, _check(call)))


@endpoints.add("GET", "check-runs/{check}/annotations", "checks:read")
async def list_annotations(call: Call) -> Answer:
    run = _check(call)
    page = call.page(run.annotations)
    return page.answer([render.annotation(call.view, call.repository, run, one) for one in page.items])


@endpoints.add("GET", "commits/{ref:path}/check-runs", "checks:read")
async def list_check_runs(call: Call) -> Answer:
    every = call.repository.check_runs_of(await call.commit(call.path("ref")))
    return _listed(call, _newest(every), every)


@endpoints.add("GET", "check-suites/{suite}/check-runs", "checks:read")
async def list_suite_runs(call: Call) -> Answer:
    suite = _suite(call)
    every = [run for run in call.repository.check_runs.values() if run.suite_id == suite.id]
    return _listed(call, _newest(every), every)


@endpoints.add("GET", "commits/{ref:path}/check-suites", "checks:read")
async def list_check_suites(call: Call) -> Answer:
    sha = await call.commit(call.path("ref"))
    page = call.page([suite for suite in call.repository.check_suites.values() if suite.head_sha == sha])
    return page.answer([await _rendered(call, suite) for suite in page.items], key="check_suites")


@endpoints.add("GET", "check-suites/{suite}", "checks:read")
async def get_check_suite(call: Call) -> Answer:
    return ok(await _rendered(call, _suite(call)))


async def _rendered(call: Call, suite: CheckSuite) -> dict[str, Any]:
    return render.check_suite(call.view, call.repository, suite, await call.git.commit(suite.head_sha))


def _newest(every: list[CheckRun]) -> list[CheckRun]:
    """The last one under each name in each suite: two workflows with a job of one name are both shown."""
    ordered = sorted(every, key=lambda run: (run.started_at is not None, run.started_at, run.id))
    return list({(run.suite_id, run.name): run for run in ordered}.values())


def _listed(call: Call, newest: list[CheckRun], every: list[CheckRun]) -> Answer:
    app = call.query("app_id")
    found = every if call.query("filter") == "all" else newest
    for name, attribute in (("check_name", "name"), ("status", "status")):
        if wanted := call.query(name):
            found = [run for run in found if getattr(run, attribute) == wanted]
    page = call.page([run for run in found if app in ("", str(run.app_id))])
    return page.answer([render.check_run(call.view, call.repository, one) for one in page.items], key="check_runs")


def _apply(call: Call, run: CheckRun) -> None:
    fields = call.fields
    run.name = fields.text("name", run.name)
    if not call.identity.is_job:  # GitHub shows its own address for what a job's token makes, whatever is asked for
        run.details_url = fields.text("details_url") or run.details_url
    run.external_id = fields.text("external_id", run.external_id)
    run.started_at = _time(fields, "started_at") or run.started_at
    run.completed_at = _time(fields, "completed_at") or run.completed_at
    run.status = fields.choice("status", _STATUSES, run.status)
    if fields.maybe_text("conclusion") is not None:
        run.conclusion = fields.choice("conclusion", _CONCLUSIONS)
        run.status = "completed"
    if run.status == "completed":
        if run.conclusion is None:
            raise unprocessable('Invalid request.\n\n"conclusion" wasn\'t supplied.')
        run.completed_at = run.completed_at or call.instance.now()
    output = fields.part("output")
    if output is not None:
        _apply_output(run, output)
    call.instance.notify()


def _apply_output(run: CheckRun, output: Fields) -> None:
    run.title = output.text("title", run.title or "")
    run.summary = output.text("summary", run.summary or "")
    run.text = output.maybe_text("text") or run.text
    given = output.objects("annotations")
    if len(given) > _MOST_ANNOTATIONS:
        raise unprocessable(f"Invalid request.\n\nNo more than {_MOST_ANNOTATIONS} annotations in one request.")
    for one in map(Fields, given):
        run.annotations.append(
            CheckAnnotation(
                path=one.required_text("path"),
                start_line=one.number("start_line", 1),
                end_line=one.number("end_line", 1),
                level=one.choice("annotation_level", ("notice", "warning", "failure")),
                message=one.required_text("message"),
                title=one.maybe_text("title"),
                raw_details=one.maybe_text("raw_details"),
                start_column=one.number("start_column") or None,
                end_column=one.number("end_column") or None,
            )
        )


def _time(fields: Fields, name: str) -> datetime | None:
    text = fields.maybe_text(name)
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise Problem(422, f"Invalid request.\n\n{text!r} is not a valid ISO 8601 date.") from error


def _check(call: Call) -> CheckRun:
    found = call.repository.check_runs.get(call.number("check"))
    if found is None:
        raise not_found()
    return found


def _suite(call: Call) -> CheckSuite:
    found = call.repository.check_suites.get(call.number("suite"))
    if found is None:
        raise not_found()
    return found
