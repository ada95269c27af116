"""Workflow files: which there are, what starts them, and starting them by hand."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from rehearsal.github.events import payloads
from rehearsal.github.events.delivery import build_event, deliver, record_delivery
from rehearsal.github.git import trees
from rehearsal.github.git.bare import BareRepository
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem, not_found, unprocessable
from rehearsal.github.repositories.state import Repository
from rehearsal.github.runs.rules import check_dispatch
from rehearsal.github.runs.state import Workflow
from rehearsal.runner.hub import InputError
from rehearsal.runner.model import Run

FOLDER = ".github/workflows"


async def files(git: BareRepository, sha: str) -> dict[str, str]:
    """Path -> text of every workflow file at a commit."""
    folder = await git.look(f"{sha}:{FOLDER}")
    if folder is None or folder.type != "tree":
        return {}
    listed = [entry.path for entry in await trees.entries(git, folder.sha) if entry.path.endswith((".yml", ".yaml"))]
    found = {}
    for name in listed:
        blob = await git.read(f"{sha}:{FOLDER}/{name}")
        if blob is not None:
            found[f"{FOLDER}/{name}"] = blob.data.decode("utf-8", "replace")
    return found


async def known(instance: GitHubInstance, repository: Repository) -> list[Workflow]:
    """The workflows of the default branch, and those that ran from elsewhere."""
    git = instance.git(repository)
    tip = git.branch(repository.default_branch)
    texts = await files(git, tip) if tip is not None else {}
    for path, text in texts.items():
        ensure(instance, repository, path).name = workflow_name(path, text)
    for workflow in repository.workflows.values():
        if workflow.state in ("active", "deleted"):
            workflow.state = "active" if workflow.path in texts else "deleted"
    return [one for one in repository.workflows.values() if one.state != "deleted"]


def ensure(instance: GitHubInstance, repository: Repository, path: str) -> Workflow:
    """The number of a workflow file; it keeps it for good."""
    if path not in repository.workflows:
        now = instance.now()
        number = instance.database.next_id("workflow")
        repository.workflows[path] = Workflow(id=number, path=path, name=path, created_at=now, updated_at=now)
    return repository.workflows[path]


async def find(instance: GitHubInstance, repository: Repository, name: str) -> Workflow:
    """By id or by file name. Raises Problem 404."""
    for workflow in await known(instance, repository):
        if name in (str(workflow.id), workflow.path.rpartition("/")[2]):
            return workflow
    raise not_found()


def workflow_name(path: str, text: str) -> str:
    """The `name:` of a file; its path when it has none or cannot be read."""
    parsed = _parsed(text)
    return str(parsed.get("name") or path)


def triggers(text: str) -> set[str]:
    """The events of `on:`, whichever of its three forms it has."""
    found = _on(text)
    if isinstance(found, str):
        return {found}
    return {str(name) for name in found} if isinstance(found, (list, dict)) else set()


async def dispatch(
    instance: GitHubInstance,
    repository: Repository,
    workflow: Workflow,
    *,
    ref: str,
    inputs: dict[str, Any],
    by: Identity,
) -> Run:
    """Start a workflow by hand. Raises Problem 422 for a ref, a workflow or inputs that will not do."""
    git = instance.git(repository)
    full = next((name for name in (ref, f"refs/heads/{ref}", f"refs/tags/{ref}") if name in git.refs), None)
    sha = await git.peel(git.refs[full]) if full is not None else None
    if full is None or sha is None:
        raise unprocessable(f"No ref found for: {ref}")
    text = (await files(git, sha)).get(workflow.path)
    check_dispatch(workflow, triggers(text) if text is not None else ())
    if instance.runner is None:
        raise Problem(503, "No runner is attached to this GitHub.")
    body = payloads.dispatch(full, workflow.path, inputs)
    event = build_event(instance, repository, "workflow_dispatch", body, ref=full, sha=sha, by=by)
    try:
        run = await instance.runner.dispatch(event, workflow.path)
    except InputError as error:
        raise unprocessable(str(error)) from error
    record_delivery(instance, event, [run])
    return run


async def come_due(instance: GitHubInstance, repository: Repository, workflow: Workflow, *, by: Identity) -> list[Run]:
    """Let the time of a workflow's first schedule come. It starts what the default branch holds, and nothing while the workflow is
    disabled. `by` is who changed the schedule last: GitHub takes them for the actor. Raises Problem 422 where it has none."""
    sha = instance.git(repository).branch(repository.default_branch)
    text = (await files(instance.git(repository), sha)).get(workflow.path, "") if sha is not None else ""
    if sha is None or "schedule" not in triggers(text):
        raise unprocessable("Workflow does not have 'schedule' trigger")
    body = payloads.schedule(str(_on(text)["schedule"][0]["cron"]), workflow.path)
    ref = f"refs/heads/{repository.default_branch}"
    return await deliver(instance, repository, "schedule", body, ref=ref, sha=sha, by=by)


def _on(text: str) -> Any:
    parsed = _parsed(text)
    return parsed.get("on", parsed.get(True))  # YAML 1.1 reads the key `on` as true


@lru_cache(maxsize=256)
def _parsed(text: str) -> dict[Any, Any]:
    """Callers only read it: each list of workflows or runs asks for the names in the same few texts."""
    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}
