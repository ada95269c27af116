"""What a job's token may do: the `permissions:` of job, workflow and caller, and the limits of forks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.runner.workflow import WorkflowError

SCOPES = (
    "actions", "artifact-metadata", "attestations", "checks", "code-quality", "contents", "deployments", "discussions",
    "id-token", "issues", "models", "packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses",
)  # fmt: skip
DEFAULT: Mapping[str, str] = {"contents": "read", "packages": "read"}
"""What a repository with restricted defaults gives to a workflow that says nothing."""

_LEVELS = {"none": 0, "read": 1, "write": 2}


def granted(
    workflow: Any, job: Any, *, caller: Mapping[str, str] | None = None, from_fork: bool = False
) -> dict[str, str]:
    """Scopes and levels of one job's token; `metadata: read` is always there.

    The job's declaration replaces the workflow's. A called workflow gets no more than its caller has.
    Raises WorkflowError for an unknown scope or level.
    """
    declared = _levels(job if job is not None else workflow)
    if declared is None:
        declared = dict(caller) if caller is not None else dict(DEFAULT)
    if caller is not None:
        declared = {scope: _lower(level, caller.get(scope, "none")) for scope, level in declared.items()}
    if from_fork:
        declared = {scope: _lower(level, "read") for scope, level in declared.items() if scope != "id-token"}
    kept = {scope: level for scope, level in declared.items() if level != "none"}
    return {**kept, "metadata": "read"}


def _levels(declared: Any) -> dict[str, str] | None:
    if declared is None:
        return None
    if declared in ("read-all", "write-all"):
        level = declared.removesuffix("-all")
        return {scope: level for scope in SCOPES if scope != "id-token" or level == "write"}
    if not isinstance(declared, Mapping):
        raise WorkflowError(f"permissions: {declared!r} is none of read-all, write-all or a mapping of scopes")
    for scope, level in declared.items():
        if scope not in SCOPES and scope != "metadata":
            raise WorkflowError(f"permissions: unknown scope '{scope}' (known: {', '.join(SCOPES)})")
        if level not in _LEVELS:
            raise WorkflowError(f"permissions: {scope}: '{level}' is none of read, write, none")
    return dict(declared)


def _lower(first: str, second: str) -> str:
    return min(first, second, key=_LEVELS.__getitem__)
