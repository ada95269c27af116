"""Which workflows an event starts: the filters under `on:`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.runner import globs
from rehearsal.runner.model import Event
from rehearsal.runner.workflow import Workflow

DEFAULT_TYPES: Mapping[str, tuple[str, ...]] = {
    "pull_request": ("opened", "synchronize", "reopened"),
    "pull_request_target": ("opened", "synchronize", "reopened"),
    "merge_group": ("checks_requested",),
}
"""Activity types that start a workflow which names none; for every other event it is all of them."""

MAX_CHAIN = 3
"""Workflows that `workflow_run` starts one after the other."""

_SKIP_MARKS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
_TOKEN_EVENTS = ("workflow_dispatch", "repository_dispatch")


def starts(workflow: Workflow, event: Event, changed: Sequence[str] | None) -> bool:
    """Whether `event` starts `workflow`.

    `changed` are the paths the event changed; None means that it is unknown, and then path filters let it pass,
    as GitHub does.
    """
    if event.name not in workflow.on or suppressed(event) or not _due(workflow, event):
        return False
    filters = workflow.on[event.name]
    return _type_fits(filters, event) and _ref_fits(filters, event) and _paths_fit(filters, event, changed)


def suppressed(event: Event) -> bool:
    """Events that start nothing: made with GITHUB_TOKEN, a deletion, or a commit that asks to be skipped."""
    if event.by_workflow_token and event.name not in _TOKEN_EVENTS:
        return True
    if event.name != "push":
        return False
    message = str((event.payload.get("head_commit") or {}).get("message", ""))
    return bool(event.payload.get("deleted")) or asks_to_skip(message)


def asks_to_skip(message: str) -> bool:
    """A commit message with one of GitHub's skip marks, or a `skip-checks: true` trailer at its end."""
    last = message.rstrip().splitlines()[-1:] or [""]
    return any(mark in message for mark in _SKIP_MARKS) or last[0].replace(" ", "").lower() == "skip-checks:true"


def needs_paths(workflow: Workflow, event: Event) -> bool:
    """Whether the changed paths must be known to decide."""
    filters = workflow.on.get(event.name, {})
    return not _is_tag(event) and ("paths" in filters or "paths-ignore" in filters)


def _due(workflow: Workflow, event: Event) -> bool:
    """A schedule is that of one workflow file; every other event is everybody's."""
    return event.name != "schedule" or event.payload.get("workflow") in (None, workflow.path)


def _type_fits(filters: Mapping[str, Any], event: Event) -> bool:
    action = event.payload.get("action")
    wanted = filters.get("types") or DEFAULT_TYPES.get(event.name)
    if event.name == "workflow_run" and not _workflow_named(filters, event):
        return False
    if event.name == "repository_dispatch":
        return not filters.get("types") or action in _listed(filters["types"])
    return wanted is None or action is None or action in _listed(wanted)


def _workflow_named(filters: Mapping[str, Any], event: Event) -> bool:
    name = (event.payload.get("workflow_run") or {}).get("name")
    return "workflows" not in filters or name in _listed(filters["workflows"])


def _ref_fits(filters: Mapping[str, Any], event: Event) -> bool:
    if event.name == "push":
        return _push_ref_fits(filters, event)
    branch = _filtered_branch(event)
    return branch is None or _name_fits(filters, "branches", branch)


def _filtered_branch(event: Event) -> str | None:
    """The branch that `branches:` speaks of: the base of a pull request or merge group, a finished run's head."""
    if event.name in ("pull_request", "pull_request_target"):
        return str(event.payload["pull_request"]["base"]["ref"])
    if event.name == "merge_group":
        return str(event.payload["merge_group"]["base_ref"]).removeprefix("refs/heads/")
    if event.name == "workflow_run":
        return str(event.payload["workflow_run"]["head_branch"])
    return None


def _push_ref_fits(filters: Mapping[str, Any], event: Event) -> bool:
    kind, other = ("tags", "branches") if _is_tag(event) else ("branches", "tags")
    named = event.ref.removeprefix("refs/tags/").removeprefix("refs/heads/")
    if kind in filters or f"{kind}-ignore" in filters:
        return _name_fits(filters, kind, named)
    # A filter for tags alone shuts branches out, and the other way round.
    return other not in filters and f"{other}-ignore" not in filters


def _name_fits(filters: Mapping[str, Any], kind: str, name: str) -> bool:
    if kind in filters:
        return globs.matches(_listed(filters[kind]), name)
    ignored = filters.get(f"{kind}-ignore")
    return ignored is None or not globs.matches(_listed(ignored), name)


def _paths_fit(filters: Mapping[str, Any], event: Event, changed: Sequence[str] | None) -> bool:
    if changed is None or _is_tag(event):
        return True
    if "paths" in filters:
        return globs.any_path(_listed(filters["paths"]), changed)
    return "paths-ignore" not in filters or not globs.all_ignored(_listed(filters["paths-ignore"]), changed)


def _is_tag(event: Event) -> bool:
    return event.ref.startswith("refs/tags/")


def _listed(value: Any) -> list[str]:
    return [str(value)] if isinstance(value, str) else [str(item) for item in value or ()]
