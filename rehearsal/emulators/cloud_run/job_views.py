"""Jobs, executions and tasks as the API writes them (discovery document run.v2)."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.cloud_run.executions import Execution, Job
from rehearsal.emulators.cloud_run.resources import READY
from rehearsal.emulators.cloud_run.views import condition_json
from rehearsal.emulators.google.wire import timestamp


def job_json(job: Job) -> dict[str, Any]:
    """The API's Job."""
    body: dict[str, Any] = {
        "name": str(job.name),
        "uid": job.uid,
        "generation": str(job.generation),
        "observedGeneration": str(job.worked),
        "createTime": timestamp(job.created),
        "updateTime": timestamp(job.updated),
        "creator": job.creator,
        "lastModifier": job.last_modifier,
        "launchStage": "GA",
        **job.spec,
        "executionCount": len(job.executions),
        "etag": job.etag,
        "reconciling": job.reconciling,
    }
    if READY in job.conditions:
        body["terminalCondition"] = condition_json(job.conditions[READY])
    newest = max(job.executions.values(), key=lambda each: each.created, default=None)
    if newest is not None:
        body["latestCreatedExecution"] = _reference(newest)
    return {key: value for key, value in body.items() if value not in (0, False)}


def _reference(execution: Execution) -> dict[str, Any]:
    if not execution.completed:
        return {
            "name": execution.name,
            "createTime": timestamp(execution.created),
            "completionStatus": "EXECUTION_RUNNING",
        }
    return {
        "name": execution.name,
        "createTime": timestamp(execution.created),
        "completionTime": timestamp(execution.completed),
        "completionStatus": "EXECUTION_SUCCEEDED" if execution.succeeded else "EXECUTION_FAILED",
    }


def execution_json(execution: Execution) -> dict[str, Any]:
    """The API's Execution."""
    done = bool(execution.completed)
    body: dict[str, Any] = {
        "name": execution.full_name,
        "uid": execution.uid,
        "creator": execution.creator,
        "generation": "1",
        "observedGeneration": "1",
        "labels": execution.labels,
        "annotations": execution.annotations,
        "createTime": timestamp(execution.created),
        "updateTime": timestamp(max(execution.created, execution.started, execution.completed)),
        "launchStage": "GA",
        "job": execution.job.job,
        "parallelism": 1,
        "taskCount": 1,
        "template": execution.template,
        "conditions": [condition_json(condition) for condition in execution.conditions.values()],
        "runningCount": int(bool(execution.started) and not done),
        "succeededCount": int(execution.succeeded),
        "failedCount": int(done and not execution.succeeded),
        "retriedCount": int(execution.attempts > 1),
        "reconciling": not done,
        "logUri": _log_uri(execution),
        "etag": f'"{execution.uid}/{execution.completed:.6f}"',
    }
    times = {"startTime": execution.started, "completionTime": execution.completed}
    body |= {key: timestamp(at) for key, at in times.items() if at}
    return {key: value for key, value in body.items() if value not in (0, False, {}, [])}


def task_json(execution: Execution) -> dict[str, Any]:
    """The API's Task: the one that an execution has, once it started."""
    name = f"{execution.name}-task0"
    body: dict[str, Any] = {
        **execution.template,
        "name": f"{execution.full_name}/tasks/{name}",
        "uid": execution.uid,
        "generation": "1",
        "observedGeneration": "1",
        "createTime": timestamp(execution.created),
        "startTime": timestamp(execution.started),
        "updateTime": timestamp(max(execution.started, execution.completed)),
        "job": execution.job.job,
        "execution": execution.name,
        "retried": max(0, execution.attempts - 1),
        "conditions": [condition_json(condition) for condition in execution.conditions.values()],
        "logUri": _log_uri(execution),
        "etag": f'"{execution.uid}/{execution.completed:.6f}"',
    }
    if execution.completed:
        body["completionTime"] = timestamp(execution.completed)
        body["lastAttemptResult"] = _result(execution)
    return {key: value for key, value in body.items() if value not in (0, {}, [])}


def _result(execution: Execution) -> dict[str, Any]:
    """Code 0 is left out, as every zero."""
    if execution.succeeded:
        return {"status": {}}
    ended = {"exitCode": execution.exit_code} if execution.exit_code else {}
    killed = {"termSignal": execution.signal} if execution.signal else {}
    return {"status": {"code": 2, "message": "The container exited with an error."}, **ended, **killed}


def _log_uri(execution: Execution) -> str:
    job = execution.job
    return (
        f"https://console.cloud.google.com/logs/viewer?project={job.project}"
        f"&resource=cloud_run_job/job_name/{job.job}/location/{job.location}&execution={execution.name}"
    )
