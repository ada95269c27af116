"""Which commit goes to the environment that proves: a push to the default branch, a maintenance line whose CI has passed, or an earlier
commit of the default branch that someone asks for.

The workflow that runs is always the default branch's; of anything but a push only the commit is taken, as data. A push is superseded by a
newer one that waits behind it: users of the environment would have it for minutes, and each would take its time.
Source: docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows (push, workflow_run, workflow_dispatch),
docs.github.com/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.delivery import evidence
from pipelines.delivery.pipeline import STAGING
from pipelines.delivery.proof import WORKFLOW
from pipelines.delivery.source import CI
from pipelines.errors import InputError, RefusedError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest
    from pipelines.runtime import Runtime

RUNS = 50
"""The newest ones that are looked at: as many as may wait, nearly."""
GO_LIVE = next(job.title for job in STAGING if job.key == "go-live")


def commit_of(runtime: Runtime, policy: Manifest, github: GitHub) -> str:
    """The commit of the event that started this run. Raises InputError, RefusedError."""
    name = runtime.environ.get("GITHUB_EVENT_NAME", "")
    main = policy.release.main
    if runtime.environ.get("GITHUB_REF") != f"refs/heads/{main}":
        raise RefusedError(
            f"this runs on {runtime.environ.get('GITHUB_REF') or 'no ref'}, not on {main}",
            where="staging",
            why="only the workflow of the default branch may deploy and prove",
            next_step=f"merge to {main}; a maintenance line goes to staging by itself once its CI has passed",
        )
    if name == "push":
        return runtime.environ["GITHUB_SHA"]
    if name == "workflow_run":
        return _of_maintenance(runtime.event.get("workflow_run") or {}, policy, github)
    if name == "workflow_dispatch":
        return _asked_for(str((runtime.event.get("inputs") or {}).get("commit", "")), main, github)
    raise InputError(
        f"nothing goes to staging by the event {name or 'none'}",
        where="staging",
        next_step="push to the default branch, or to a maintenance line; or dispatch the workflow with a commit of the default branch",
    )


def _asked_for(commit: str, main: str, github: GitHub) -> str:
    """A commit that a person named: whole, because a short one can come to mean another."""
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise InputError(
            f"{commit[:60]!r} is no whole SHA of a commit",
            where="commit",
            next_step="take the 40 digits of `git rev-parse <commit>`",
        )
    if not evidence.is_of_branch(github, commit, main):
        raise RefusedError(
            f"{commit[:7]} is not on {main}",
            where=github.name,
            why="only what was merged is deployed and proved",
            next_step=f"merge it to {main}; a maintenance line goes to staging by itself once its CI has passed",
        )
    return commit


def superseded_by(runtime: Runtime, commit: str, policy: Manifest, github: GitHub) -> str:
    """The newest commit of the default branch that holds this one and waits behind it, or went live meanwhile; empty for none.

    A run that someone started on purpose, by a dispatch or again, is superseded by none.
    """
    if runtime.environ.get("GITHUB_EVENT_NAME") != "push" or runtime.attempt not in ("", "1"):
        return ""
    file, main = WORKFLOW.rpartition("/")[2], quote(policy.release.main, safe="")
    path = f"/repos/{github.name}/actions/workflows/{file}/runs?branch={main}&event=push&per_page={RUNS}"
    for run in github.json("GET", path)["workflow_runs"]:
        if str(run["id"]) == runtime.run_id:
            break
        if _comes_or_came(run, github) and _holds(github, str(run["head_sha"]), commit):
            return str(run["head_sha"])
    return ""


def _comes_or_came(run: Mapping[str, Any], github: GitHub) -> bool:
    """Whether a run waits for its turn, or has had it and made something live: it may have failed, or been superseded itself."""
    if run["status"] != "completed":
        return True
    return run["conclusion"] == "success" and made_live(github, str(run["id"]))


def made_live(github: GitHub, run: str) -> bool:
    """Whether the job of a run of the proving environment that makes something live did."""
    jobs = github.json("GET", f"/repos/{github.name}/actions/runs/{run}/jobs?per_page=100")["jobs"]
    return any(job["name"] == GO_LIVE and job["conclusion"] == "success" for job in jobs)


def _holds(github: GitHub, newer: str, commit: str) -> bool:
    """Whether a commit is in the history of a newer one; not when the branch was forced elsewhere."""
    compared = github.find_json(f"/repos/{github.name}/compare/{commit}...{newer}?per_page=1")
    return compared is not None and compared["status"] == "ahead"


def _of_maintenance(run: dict[str, Any], policy: Manifest, github: GitHub) -> str:
    branch, commit = str(run.get("head_branch", "")), str(run.get("head_sha", ""))
    wrong = [
        problem
        for problem, holds in (
            (f"it is a run of {run.get('path')}", str(run.get("path", "")).partition("@")[0] == CI),
            (f"it was started by {run.get('event')}", run.get("event") == "push"),
            (f"it ended as {run.get('conclusion')}", run.get("conclusion") == "success"),
            ("it is of a fork", (run.get("head_repository") or {}).get("full_name") == github.name),
            (f"{branch} is no maintenance line", is_maintenance(policy, branch)),
        )
        if not holds
    ]
    if wrong:
        raise RefusedError(
            f"that run sends nothing to staging: {'; '.join(wrong)}",
            where=str(run.get("html_url", "")),
            why="staging takes what CI found well on a maintenance line",
            next_step="push to the line, and let its CI pass",
        )
    if not evidence.is_of_branch(github, commit, branch):
        raise RefusedError(
            f"{commit[:7]} is not on {branch} any more",
            where=github.name,
            why="the branch was moved since its CI ran",
            next_step="nothing to do: what is there now goes to staging once its CI has passed",
        )
    return commit


def is_maintenance(policy: Manifest, branch: str) -> bool:
    """Whether a branch is a maintenance line by the policy: release/1.x for release/{line}."""
    before, _, after = policy.release.maintenance.partition("{line}")
    pattern = rf"{re.escape(before)}\d+(\.\d+)?(\.x)?{re.escape(after)}"
    return re.fullmatch(pattern, branch) is not None


def node_folders(manifest: Manifest, component: str, source: Path) -> str:
    """Folders whose Node modules the build of a component needs, from the workspace's root, separated by blanks."""
    build = manifest.components[component].build
    return " ".join(str(source / folder) for folder in build.node) if build else ""
