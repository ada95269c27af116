"""Runs of CI at GitHub: which have ended, and what their job `ci` concluded.

A check run or a status named `ci` proves nothing: any workflow of any branch can write one. What counts is a run of the workflow's own
file, found through its path, and what GitHub itself says of that run's jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.ci import jobs

if TYPE_CHECKING:
    from pipelines.github import GitHub

WORKFLOW = ".github/workflows/ci.yml"
GATE = "ci"
"""The job that sums a run up: green only if each check succeeded, or was skipped by plan."""
LISTED = 100


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run, as of its newest attempt."""

    id: int
    event: str
    """push, pull_request, merge_group"""
    commit: str
    """Of a pull request its head, which is not what was checked: that was its merge into the base."""
    branch: str
    attempt: int
    ended: bool
    url: str


def ended_on(github: GitHub, branch: str) -> list[Run]:
    """The newest runs for pushes to a branch that have ended, the newest first. Raises what GitHub.json raises."""
    found = _listed(github, f"event=push&branch={quote(branch, safe='')}&status=completed")
    return [run for run in found if run.ended and run.branch == branch]


def ended_in_queue(github: GitHub, commit: str, branch: str) -> list[Run]:
    """Those of the merge queue of a branch for a commit: GitHub moves the branch to exactly that commit."""
    found = _listed(github, f"event=merge_group&head_sha={commit}&status=completed")
    queue = f"gh-readonly-queue/{branch}/"
    return [run for run in found if run.ended and run.commit == commit and run.branch.startswith(queue)]


def ended_for_pull(github: GitHub, head: str) -> list[Run]:
    """Those of pull requests with this head, whichever their base was."""
    found = _listed(github, f"event=pull_request&head_sha={head}&status=completed")
    return [run for run in found if run.ended and run.commit == head]


def conclusion(done: Sequence[jobs.Job]) -> str:
    """That of the job `ci`; empty when there is none."""
    return next((job.conclusion for job in done if job.title == GATE), "")


def _listed(github: GitHub, query: str) -> list[Run]:
    """The newest first; runs of another file, which GitHub should not give, are left out."""
    name = WORKFLOW.rpartition("/")[2]
    answer = github.find_json(f"/repos/{github.name}/actions/workflows/{name}/runs?{query}&per_page={LISTED}") or {}
    listed = [run for run in answer.get("workflow_runs", []) if str(run["path"]).partition("@")[0] == WORKFLOW]
    return sorted((_run(run) for run in listed), key=lambda run: run.id, reverse=True)


def _run(run: dict[str, Any]) -> Run:
    return Run(
        id=int(run["id"]),
        event=str(run["event"]),
        commit=str(run["head_sha"]),
        branch=str(run.get("head_branch") or ""),
        attempt=int(run.get("run_attempt") or 1),
        ended=run["status"] == "completed",
        url=str(run["html_url"]),
    )
