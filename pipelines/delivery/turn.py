"""One run of a workflow after another, in the order in which they began: a run waits here before it takes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.errors import ConflictError, InputError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.runtime import Runtime

LOOK_SECONDS = 10
RECENT = 50
"""Runs of the workflow that are looked at, the newest first."""


def wait(github: GitHub, runtime: Runtime, *, minutes: float) -> list[str]:
    """Return when no earlier run of this run's workflow is under way; the pages of those that were waited for.

    A concurrency group cannot do this: it lets a third run evict a second that waits. Raises ConflictError after `minutes`.
    """
    own = github.json("GET", f"/repos/{github.name}/actions/runs/{_run_id(runtime)}")
    waited: dict[str, None] = {}
    earlier: list[dict[str, Any]] = []
    for look in range(max(1, round(minutes * 60 / LOOK_SECONDS))):
        if look:
            github.policy.sleep(LOOK_SECONDS * github.policy.scale)
        earlier = _earlier(github, own)
        if not earlier:
            return list(waited)
        for run in earlier:
            if run["html_url"] not in waited:
                runtime.say(f"waiting for {run['html_url']} ({run['display_title']})")
                waited[run["html_url"]] = None
    raise ConflictError(
        f"{len(earlier)} earlier run(s) of {own['name']} did not end within {minutes:g} minutes",
        where=earlier[-1]["html_url"],
        why="a run that began earlier goes first, so that what is newest is what stays",
        next_step="see what it waits for, or cancel it; then re-run this job",
    )


def _earlier(github: GitHub, own: dict[str, Any]) -> list[dict[str, Any]]:
    found = github.json("GET", f"/repos/{github.name}/actions/workflows/{own['workflow_id']}/runs?per_page={RECENT}")
    return [run for run in found["workflow_runs"] if run["id"] < own["id"] and run["status"] != "completed"]


def _run_id(runtime: Runtime) -> str:
    found = runtime.environ.get("GITHUB_RUN_ID", "")
    if not found:
        raise InputError("GITHUB_RUN_ID is not set", next_step="only a run of a workflow has a turn to wait for")
    return found
