"""Deployments: made through the API or by a job's `environment:`, and the statuses that follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rehearsal.github.deployments import render
from rehearsal.github.deployments.rules import check_contexts, check_delete, superseded
from rehearsal.github.deployments.state import Deployment, DeploymentStatus
from rehearsal.github.environments.service import ensure
from rehearsal.github.events.delivery import deliver
from rehearsal.github.git.history import is_ancestor
from rehearsal.github.git.merging import Conflict, merge
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import conflict, unprocessable
from rehearsal.github.pulls.service.mergeability import github_signature
from rehearsal.github.repositories.service.pushes import refs_moved
from rehearsal.github.repositories.state import Repository


@dataclass(frozen=True, kw_only=True)
class DeploymentRequest:
    """A deployment that is asked for, with GitHub's defaults."""

    ref: str
    task: str = "deploy"
    auto_merge: bool = True
    required_contexts: list[str] | None = None
    """None: every check that was ever reported on the commit; []: none."""
    payload: Any = field(default_factory=dict)
    environment: str = "production"
    description: str | None = None
    transient: bool = False
    production: bool | None = None
    """None: whether the environment is called production."""


@dataclass(frozen=True, kw_only=True)
class DeploymentStatusRequest:
    """A status that is added."""

    state: str
    description: str = ""
    environment: str | None = None
    environment_url: str = ""
    log_url: str = ""
    auto_inactive: bool = True


async def create(
    instance: GitHubInstance, repository: Repository, wanted: DeploymentRequest, by: Identity
) -> Deployment | str:
    """The deployment; or the message of GitHub's 202 when the default branch was merged into the ref first.

    Raises Problem 422 for an unknown ref, 409 for a merge conflict or checks that have not passed.
    """
    sha = await instance.git(repository).resolve(wanted.ref)
    if sha is None:
        raise unprocessable(f"No ref found for: {wanted.ref}")
    if wanted.auto_merge:
        merged = await _auto_merge(instance, repository, wanted.ref, sha, by)
        if merged is not None:
            return merged
    check_contexts(repository, wanted.ref, sha, wanted.required_contexts)
    deployment = _recorded(instance, repository, wanted, sha, by)
    await _deliver_event(instance, repository, deployment, None, by)
    return deployment


async def add_status(
    instance: GitHubInstance,
    repository: Repository,
    deployment: Deployment,
    wanted: DeploymentStatusRequest,
    by: Identity,
) -> DeploymentStatus:
    """Add a status; a success makes earlier ones of the environment inactive."""
    status = _status(instance, deployment, wanted, by)
    deployment.statuses.append(status)
    ensure(instance, repository, status.environment)
    await _deliver_event(instance, repository, deployment, status, by)
    if wanted.state == "success" and wanted.auto_inactive:
        await _retire_others(instance, repository, deployment, by)
    return status


def visible(repository: Repository) -> list[Deployment]:
    """What a list shows, newest first; each read brings what lags behind closer."""
    shown = []
    for deployment in sorted(repository.deployments.values(), key=lambda one: one.id, reverse=True):
        if deployment.hidden_reads > 0:
            deployment.hidden_reads -= 1
        else:
            shown.append(deployment)
    return shown


def delete(repository: Repository, deployment: Deployment) -> None:
    """Raises Problem 422 for one that is active and not alone in its environment."""
    check_delete(repository, deployment)
    del repository.deployments[deployment.id]


async def _auto_merge(instance: GitHubInstance, repository: Repository, ref: str, sha: str, by: Identity) -> str | None:
    """Merge the default branch into a branch that lacks some of it."""
    git = instance.git(repository)
    full, base = f"refs/heads/{ref}", git.branch(repository.default_branch)
    if full not in git.refs or base is None or ref == repository.default_branch or await is_ancestor(git, base, sha):
        return None
    message = f"Merge branch '{repository.default_branch}' into {ref}\n"
    github = github_signature(instance)
    merged = await merge(git, sha, base, message=message, author=github, by=github)
    if isinstance(merged, Conflict) or not await git.update_ref(full, merged, sha):
        raise conflict(f"Conflict merging {repository.default_branch} into {ref}.")
    await refs_moved(instance, repository, [RefChange(ref=full, old=sha, new=merged)], by)
    return f"Auto-merged {repository.default_branch} into {ref} on deployment."


def _recorded(
    instance: GitHubInstance, repository: Repository, wanted: DeploymentRequest, sha: str, by: Identity
) -> Deployment:
    ensure(instance, repository, wanted.environment)
    deployment = Deployment(
        id=instance.database.next_id("deployment"),
        sha=sha,
        ref=wanted.ref,
        task=wanted.task,
        payload=wanted.payload,
        original_environment=wanted.environment,
        description=wanted.description,
        creator=by.login,
        created_at=instance.now(),
        transient=wanted.transient,
        production=wanted.environment == "production" if wanted.production is None else wanted.production,
        by_app=by.is_job,
        hidden_reads=instance.lag,
    )
    repository.deployments[deployment.id] = deployment
    return deployment


def _status(
    instance: GitHubInstance, deployment: Deployment, wanted: DeploymentStatusRequest, by: Identity
) -> DeploymentStatus:
    return DeploymentStatus(
        id=instance.database.next_id("deployment_status"),
        state=wanted.state,
        creator=by.login,
        description=wanted.description,
        environment=wanted.environment or deployment.environment,
        environment_url=wanted.environment_url,
        log_url=wanted.log_url,
        created_at=instance.now(),
        by_app=by.is_job,
    )


async def _retire_others(
    instance: GitHubInstance, repository: Repository, deployment: Deployment, by: Identity
) -> None:
    for other in superseded(repository, deployment):
        status = _status(instance, other, DeploymentStatusRequest(state="inactive"), by)
        other.statuses.append(status)
        await _deliver_event(instance, repository, other, status, by)


async def _deliver_event(
    instance: GitHubInstance,
    repository: Repository,
    deployment: Deployment,
    status: DeploymentStatus | None,
    by: Identity,
) -> None:
    view = instance.view()
    body: dict[str, Any] = {"action": "created", "deployment": render.deployment(view, repository, deployment)}
    body |= {"workflow": None, "workflow_run": None}
    if status is not None:
        body["deployment_status"] = render.deployment_status(view, repository, deployment, status)
    name = "deployment" if status is None else "deployment_status"
    await deliver(
        instance, repository, name, body, ref=_ref(instance, repository, deployment), sha=deployment.sha, by=by
    )


def _ref(instance: GitHubInstance, repository: Repository, deployment: Deployment) -> str:
    """The full ref of what was deployed; empty for a bare commit, as on GitHub."""
    refs = instance.git(repository).refs
    candidates = (f"refs/heads/{deployment.ref}", f"refs/tags/{deployment.ref}")
    return next((ref for ref in candidates if ref in refs), "")
