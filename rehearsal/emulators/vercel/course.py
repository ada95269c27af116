"""What happens by itself: builds start and end, and the names of a promotion move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.emulators.vercel.model import AliasRequest, Deployment, Event, Project

if TYPE_CHECKING:
    from rehearsal.emulators.vercel.state import Account


def advance(account: Account) -> None:
    """Do everything that is due by now."""
    now = max(int(account.clock() * 1000), account.last_time)
    for deployment in list(account.deployments.values()):
        _advance_build(account, deployment, now)
    for project in account.projects.values():
        request = project.last_request
        if (
            request
            and request.status == "in-progress"
            and request.due <= now
            and _is_rolled_out(account, project, request)
        ):
            _complete(account, project, request)


def _advance_build(account: Account, deployment: Deployment, now: int) -> None:
    began = deployment.created + account.pace.queue
    if deployment.state == "QUEUED" and began <= now:
        deployment.state, deployment.building = "BUILDING", began
        deployment.events.append(Event(created=began, text=f"Running build for {deployment.name}"))
    done = began + account.pace.build
    if deployment.state == "BUILDING" and done <= now:
        _finish(account, deployment, done)


def _finish(account: Account, deployment: Deployment, done: int) -> None:
    reason = _needs_a_build(deployment)
    if reason is not None:
        deployment.state, deployment.error = "ERROR", ("BUILD_FAILED", reason)
        deployment.events.append(Event(created=done, text=reason, type="stderr"))
        return
    deployment.state, deployment.ready = "READY", done
    deployment.events.append(Event(created=done, text="Deployment completed"))
    project = account.projects[deployment.project_id]
    if deployment.target != "production":
        account.assign(deployment, account.branch_names(deployment))
        deployment.assigned = done
    elif project.auto_assign:
        _go_live(account, project, deployment)
    else:
        deployment.substate = "STAGED"


def _go_live(account: Account, project: Project, deployment: Deployment) -> None:
    account.assign(deployment, [domain.name for domain in project.domains])
    deployment.substate = "PROMOTED"
    deployment.assigned = deployment.assigned or account.now()


def _is_rolled_out(account: Account, project: Project, request: AliasRequest) -> bool:
    """Whether a promotion is at its end. One of a rolling release begins when it is first due: the names show the deployment from then
    on, and a share of the visitors gets it."""
    deployment = account.deployments.get(request.to_id)
    if not project.rolling or request.type != "promote" or deployment is None or deployment.substate == "ROLLING":
        return True
    account.assign(deployment, [domain.name for domain in project.domains])
    deployment.substate = "ROLLING"
    request.due += project.rolling
    return False


def _complete(account: Account, project: Project, request: AliasRequest) -> None:
    deployment = account.deployments.get(request.to_id)
    if deployment is None:
        request.status = "failed"
        return
    _go_live(account, project, deployment)
    request.status = "succeeded"
    rolled_back = request.type == "rollback"
    # A rollback pins production until the next promotion. That turns assignment on again, also for a project that
    # had it off by choice: its next production deployment goes live unasked unless it says otherwise.
    project.auto_assign = not rolled_back
    project.rolled_back_to = deployment.id if rolled_back else None
    if not rolled_back:
        project.rollback_reason = None


def _needs_a_build(deployment: Deployment) -> str | None:
    """Why these files cannot be served as they are; None if they can."""
    paths = {file.path for file in deployment.files}
    if "package.json" in paths:
        return "This world runs no builds on Vercel: build first, and deploy the output (no package.json among it)."
    return None
