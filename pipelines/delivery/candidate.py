"""Which commit goes to the environment that proves: a push to the default branch, or a maintenance line whose CI has passed.

The workflow that runs is always the default branch's; of a maintenance line only the commit is taken, as data.
Source: docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows (push, workflow_run)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.delivery import evidence
from pipelines.delivery.source import CI
from pipelines.errors import InputError, RefusedError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest
    from pipelines.runtime import Runtime


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
    raise InputError(
        f"nothing goes to staging by the event {name or 'none'}",
        where="staging",
        next_step="push to the default branch, or to a maintenance line",
    )


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
