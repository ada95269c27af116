"""The deployments GitHub makes by itself for jobs with an `environment:`."""

from __future__ import annotations

from rehearsal.github.deployments.rules import superseded
from rehearsal.github.deployments.state import Deployment, DeploymentStatus
from rehearsal.github.environments.service import ensure
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.repositories.state import Repository
from rehearsal.runner.model import Job, Run

_ENDED = {"success": "success", "failure": "failure", "timed_out": "failure", "cancelled": "error"}


def job_changed(instance: GitHubInstance, repository: Repository, run: Run, job: Job) -> Deployment | None:
    """Make or move on the deployment of a job; None for a job without environment, or one that never began.

    An environment that nobody made comes into being, without any rule, also where the job makes no deployment.

    A deployment event of this kind starts no workflow: it is made by GitHub Actions itself.
    """
    state = _state(job)
    if job.environment is None or state is None:
        return None
    if not job.makes_deployment:
        ensure(instance, repository, job.environment)
        return None
    deployment = next((one for one in repository.deployments.values() if one.job_id == job.id), None)
    if deployment is None:
        deployment = _made(instance, repository, run, job)
    if deployment.state != state:
        deployment.statuses.append(_status(instance, repository, deployment, run, job, state))
        if state == "success":
            for other in superseded(repository, deployment):
                other.statuses.append(_status(instance, repository, other, run, job, "inactive"))
    return deployment


def _state(job: Job) -> str | None:
    if job.status == "completed":
        return _ENDED.get(job.conclusion or "")
    return {"waiting": "waiting", "in_progress": "in_progress"}.get(job.status)


def _made(instance: GitHubInstance, repository: Repository, run: Run, job: Job) -> Deployment:
    name = ensure(instance, repository, job.environment or "").name
    deployment = Deployment(
        id=instance.database.next_id("deployment"),
        sha=run.head_sha,
        ref=run.head_branch,
        task="deploy",
        payload={},
        original_environment=name,
        description=None,
        creator=run.triggering_actor or run.event.actor,
        created_at=instance.now(),
        production=name == "production",
        by_app=True,
        job_id=job.id,
        hidden_reads=instance.lag,
    )
    repository.deployments[deployment.id] = deployment
    return deployment


def _status(
    instance: GitHubInstance, repository: Repository, deployment: Deployment, run: Run, job: Job, state: str
) -> DeploymentStatus:
    page = f"{instance.address}/{repository.full_name}/actions/runs/{run.id}/job/{job.id}"
    own = deployment.job_id == job.id
    return DeploymentStatus(
        id=instance.database.next_id("deployment_status"),
        state=state,
        creator="github-actions[bot]",
        description="",
        environment=deployment.environment,
        environment_url=job.environment_url if own else "",
        log_url=page if own else deployment.statuses[-1].log_url,
        created_at=instance.now(),
        by_app=True,
    )
