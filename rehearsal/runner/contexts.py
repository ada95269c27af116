"""The contexts that expressions see where the runner evaluates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.runner.graph import Graph
from rehearsal.runner.model import Event, Run


def github(run: Run, *, server_url: str, api_url: str) -> dict[str, Any]:
    """The `github` context, without what only a running job has (token, paths)."""
    event = run.event
    owner, _, _ = run.repository.partition("/")
    repository = event.payload.get("repository") or {}
    return {
        "event": event.payload,
        "event_name": event.name,
        "ref": event.ref,
        "ref_name": ref_name(event.ref),
        "ref_type": "tag" if event.ref.startswith("refs/tags/") else "branch",
        "sha": event.sha,
        "head_ref": _branch(event, "head"),
        "base_ref": _branch(event, "base"),
        "repository": run.repository,
        "repository_id": _number(repository),
        "repository_owner": owner,
        "repository_owner_id": _number(repository.get("owner")),
        "actor": event.actor,
        "actor_id": _number(event.payload.get("sender")),
        "triggering_actor": run.triggering_actor or event.actor,
        "run_id": str(run.id),
        "run_number": str(run.number),
        "run_attempt": str(run.attempt),
        "workflow": run.workflow_name,
        "workflow_ref": workflow_ref(run),
        "workflow_sha": event.sha,
        "server_url": server_url,
        "api_url": api_url,
        "graphql_url": graphql_url(api_url),
    }


def graphql_url(api_url: str) -> str:
    """Beside the REST API: `/graphql`, or `/api/graphql` where REST is at `/api/v3`."""
    return f"{api_url.removesuffix('/v3')}/graphql"


def ref_name(ref: str) -> str:
    """`main` for refs/heads/main, `7/merge` for refs/pull/7/merge."""
    for prefix in ("refs/heads/", "refs/tags/", "refs/pull/"):
        if ref.startswith(prefix):
            return ref.removeprefix(prefix)
    return ref


def workflow_ref(run: Run) -> str:
    return f"{run.repository}/{run.workflow_path}@{run.event.ref}"


def _number(record: Mapping[str, Any] | None) -> str:
    """The id of an account or a repository in an event, as text; empty when the event does not tell."""
    return str((record or {}).get("id", ""))


def _branch(event: Event, side: str) -> str:
    """Branch of a pull request: `head` or `base`; empty for other events."""
    pull = event.payload.get("pull_request") or {}
    return str((pull.get(side) or {}).get("ref", ""))


def for_job(
    graph: Graph, key: str, *, github_context: Mapping[str, Any], variables: Mapping[str, str]
) -> dict[str, Any]:
    """What a job's `if`, `name`, `strategy`, `environment` and `concurrency` may use."""
    return {"github": github_context, "vars": variables, "inputs": graph.inputs, "needs": graph.needs(key)}
