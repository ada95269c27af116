"""What a list of runs shows: title, branch, commit, status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.runner import contexts
from rehearsal.runner.expressions import Scope, interpolate
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.model import Event, Run
from rehearsal.runner.values import to_string
from rehearsal.runner.workflow import Workflow


def title(workflow: Workflow, event: Event, server_url: str, run: Run, inputs: Mapping[str, Any]) -> str:
    """`run-name` evaluated, else the commit's subject, the pull request's title, or the workflow's name."""
    if workflow.run_name:
        github = contexts.github(run, server_url=server_url, api_url="")
        try:
            text = to_string(interpolate(workflow.run_name, Scope(contexts={"github": github, "inputs": inputs})))
        except ExpressionError:
            text = ""
        if text.strip():
            return text
    payload = event.payload
    head = payload.get("head_commit") if event.name == "push" else (payload.get("merge_group") or {}).get("head_commit")
    if head:
        return str(head.get("message", "")).partition("\n")[0] or workflow.name
    if payload.get("pull_request"):
        return str(payload["pull_request"].get("title") or workflow.name)
    return workflow.name


def head_branch(event: Event) -> str:
    """The branch or tag a run belongs to; of a pull request, its head."""
    pull = event.payload.get("pull_request")
    return str(pull["head"]["ref"]) if pull else contexts.ref_name(event.ref)


def head_sha(event: Event) -> str:
    """The commit a run is shown on: of a pull request its head, not the merge that is tested."""
    pull = event.payload.get("pull_request")
    return str(pull["head"]["sha"]) if pull else event.sha


def status(run: Run) -> str:
    """The status of a run that is not completed, from that of its jobs."""
    states = {job.status for job in run.latest_jobs()}
    if "in_progress" in states:
        return "in_progress"
    for quiet in ("waiting", "pending"):
        if quiet in states and "queued" not in states:
            return quiet
    if run.started_at is None:
        return "pending" if run.status == "pending" else "queued"
    return "in_progress" if "completed" in states else "queued"
