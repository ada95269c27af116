"""The account's resources in the JSON of Vercel's API."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.vercel.model import Alias, Deployment, Domain, Project, Variable
from rehearsal.emulators.vercel.state import Account

_REGION = "fra1"
_RESOURCES: dict[str, Any] = {"functionDefaultRegions": [_REGION]}
_VERSION = 2


def creator(name: str) -> dict[str, Any]:
    """A user, as the one who made something."""
    return {"uid": f"usr_{name}", "username": name}


def deployment_json(account: Account, deployment: Deployment) -> dict[str, Any]:
    """`GET /v13/deployments/{idOrUrl}`, with what a member of the team sees."""
    code, message = deployment.error or (None, None)
    optional = {
        "target": deployment.target,
        "alias": account.names_of(deployment),
        "aliasAssignedAt": deployment.assigned,
        "readySubstate": deployment.substate,
        "ready": deployment.ready,
        "canceledAt": deployment.canceled,
        "errorCode": code,
        "errorMessage": message,
    }
    return {
        "id": deployment.id,
        "url": deployment.url,
        "name": deployment.name,
        "projectId": deployment.project_id,
        "project": {"id": deployment.project_id, "name": deployment.name},
        "ownerId": account.team_id,
        "team": {"id": account.team_id, "name": account.team, "slug": account.team},
        "creator": creator(deployment.creator),
        "meta": deployment.meta,
        "readyState": deployment.state,
        "status": deployment.state,
        "aliasAssigned": deployment.assigned is not None,
        "createdAt": deployment.created,
        "buildingAt": deployment.building or deployment.created,
        "bootedAt": deployment.building or deployment.created,
        "buildSkipped": False,
        "inspectorUrl": f"https://vercel.com/{account.team}/{deployment.name}/{deployment.id.removeprefix('dpl_')}",
        "projectSettings": {},
        "build": {"env": []},
        "env": [],
        "createdIn": _REGION,
        "regions": [_REGION],
        "routes": None,
        "plan": account.plan,
        "public": False,
        "type": "LAMBDAS",
        "version": _VERSION,
        "source": "cli",
        "isInConcurrentBuildsQueue": False,
        "isInSystemBuildsQueue": False,
    } | {name: value for name, value in optional.items() if value is not None or name == "target"}


def listed_deployment_json(account: Account, deployment: Deployment) -> dict[str, Any]:
    """One of `GET /v7/deployments`."""
    code, message = deployment.error or (None, None)
    optional = {
        "readySubstate": deployment.substate,
        "ready": deployment.ready,
        "errorCode": code,
        "errorMessage": message,
    }
    project = account.projects[deployment.project_id]
    return {
        "uid": deployment.id,
        "name": deployment.name,
        "projectId": deployment.project_id,
        "url": deployment.url,
        "created": deployment.created,
        "createdAt": deployment.created,
        "buildingAt": deployment.building or deployment.created,
        "state": deployment.state,
        "readyState": deployment.state,
        "target": deployment.target,
        "aliasAssigned": deployment.assigned or False,
        "isRollbackCandidate": account.can_roll_back_to(project, deployment),
        "creator": creator(deployment.creator),
        "inspectorUrl": f"https://vercel.com/{account.team}/{deployment.name}/{deployment.id.removeprefix('dpl_')}",
        "meta": deployment.meta,
        "type": "LAMBDAS",
        "source": "cli",
    } | {name: value for name, value in optional.items() if value is not None}


def event_json(deployment: Deployment, number: int) -> dict[str, Any]:
    """One of `GET /v3/deployments/{idOrUrl}/events`."""
    event = deployment.events[number]
    return {
        "type": event.type,
        "created": event.created,
        "date": event.created,
        "deploymentId": deployment.id,
        "id": f"{event.created}{number:06}",
        "serial": f"{event.created}{number:06}",
        "text": event.text,
        "info": {"type": "build", "name": "bld", "entrypoint": "."},
    }


def project_json(account: Account, project: Project) -> dict[str, Any]:
    """`GET /v9/projects/{idOrName}`."""
    live = account.live(project)
    target = None if live is None else _target_json(account, live)
    optional: dict[str, Any] = {
        "protectionBypass": bypass_json(project) if project.shows_bypass else None,
        "lastAliasRequest": _request_json(project),
        "lastRollbackTarget": {} if project.rolled_back_to else None,
        "rollbackDescription": _reason_json(project),
        "ssoProtection": {"deploymentType": project.protection} if project.protection else None,
        "passwordProtection": {} if project.password else None,
        "link": _link_json(project),
        "rootDirectory": project.root_directory,
    }
    return {
        "id": project.id,
        "name": project.name,
        "accountId": account.team_id,
        "createdAt": project.created,
        "updatedAt": project.updated,
        "framework": project.framework,
        "live": live is not None,
        "autoAssignCustomDomains": project.auto_assign,
        "alias": [_project_alias_json(account, domain, live) for domain in project.domains],
        "targets": {} if target is None else {"production": target},
        "latestDeployments": _latest(account, project),
        "directoryListing": False,
        "nodeVersion": "22.x",
        "resourceConfig": _RESOURCES,
        "defaultResourceConfig": _RESOURCES,
        "deploymentExpiration": {},
    } | {name: value for name, value in optional.items() if value is not None}


def team_json(account: Account) -> dict[str, Any]:
    """`GET /v2/teams/{teamId}`."""
    return {
        "id": account.team_id,
        "slug": account.team,
        "name": account.team,
        "description": None,
        "avatar": None,
        "billing": {"plan": account.plan},
        "creatorId": "usr_owner",
        "createdAt": 0,
        "updatedAt": 0,
        "stagingPrefix": account.team,
    }


def _link_json(project: Project) -> dict[str, Any] | None:
    """The Git repository that a project is connected with."""
    if project.repository is None:
        return None
    owner, _, name = project.repository.partition("/")
    return {
        "type": "github",
        "org": owner,
        "repo": name,
        "productionBranch": "main",
        "gitCredentialId": "cred_1",
        "deployHooks": [],
    }


def _challenge_json(domain: Domain) -> dict[str, str]:
    """The record that shows whose a domain is."""
    apex = ".".join(domain.name.split(".")[-2:])
    value = f"vc-domain-verify={domain.name},{domain.created:x}"
    return {"type": "TXT", "domain": f"_vercel.{apex}", "value": value, "reason": "pending_domain_verification"}


def bypass_json(project: Project) -> dict[str, Any]:
    """Automation bypass secrets by value, as Vercel lists them."""
    return {
        secret: {"createdAt": created, "createdBy": "usr_owner", "scope": "automation-bypass"}
        for secret, created in project.bypass.items()
    }


def domain_json(project: Project, domain: Domain) -> dict[str, Any]:
    """One of `GET /v9/projects/{idOrName}/domains`."""
    return {
        "name": domain.name,
        "apexName": ".".join(domain.name.split(".")[-2:]),
        "projectId": project.id,
        "redirect": domain.redirect,
        "createdAt": domain.created,
        "updatedAt": domain.created,
        "verified": domain.verified,
    } | ({} if domain.verified else {"verification": [_challenge_json(domain)]})


def alias_json(alias: Alias) -> dict[str, Any]:
    """One of `GET /v4/aliases`."""
    return {
        "uid": alias.id,
        "alias": alias.name,
        "created": alias.created,
        "deploymentId": alias.deployment_id,
        "projectId": alias.project_id,
    }


def variable_json(variable: Variable, *, readable: bool) -> dict[str, Any]:
    """One of `GET /v10/projects/{idOrName}/env`; a value only where it may be read."""
    shown = variable.type == "plain" or (readable and variable.type == "encrypted")
    optional = {"gitBranch": variable.git_branch, "comment": variable.comment}
    return {
        "id": variable.id,
        "key": variable.key,
        "value": variable.value if shown else "",
        "type": variable.type,
        "target": variable.target,
        "createdAt": variable.created,
        "updatedAt": variable.updated,
        "decrypted": shown and variable.type == "encrypted",
    } | {name: value for name, value in optional.items() if value is not None}


def page_json(times: list[int], *, more: bool) -> dict[str, Any]:
    """`pagination` of a list that goes backwards in time: `next` is what the next call sends as `until`."""
    return {"count": len(times), "next": times[-1] if more else None, "prev": times[0] if times else None}


def _target_json(account: Account, deployment: Deployment) -> dict[str, Any]:
    return {
        "id": deployment.id,
        "name": deployment.name,
        "url": deployment.url,
        "deploymentHostname": deployment.url,
        "createdAt": deployment.created,
        "createdIn": _REGION,
        "creator": {"uid": f"usr_{deployment.creator}", "username": deployment.creator, "email": ""},
        "plan": account.plan,
        "private": True,
        "readyState": deployment.state,
        "type": "LAMBDAS",
    }


def _latest(account: Account, project: Project) -> list[dict[str, Any]]:
    own = [d for d in account.deployments.values() if d.project_id == project.id]
    return [_target_json(account, deployment) for deployment in sorted(own, key=lambda d: -d.created)[:5]]


def _project_alias_json(account: Account, domain: Domain, live: Deployment | None) -> dict[str, Any]:
    return {
        "domain": domain.name,
        "environment": "production",
        "target": "PRODUCTION",
        "deployment": None if live is None else _target_json(account, live),
        "createdAt": domain.created,
    }


def _request_json(project: Project) -> dict[str, Any] | None:
    request = project.last_request
    if request is None:
        return None
    return {
        "type": request.type,
        "jobStatus": request.status,
        "fromDeploymentId": request.from_id,
        "toDeploymentId": request.to_id,
        "requestedAt": request.requested,
    }


def _reason_json(project: Project) -> dict[str, Any] | None:
    if project.rollback_reason is None or project.last_request is None:
        return None
    return {
        "description": project.rollback_reason,
        "createdAt": project.last_request.requested,
        "userId": "usr_owner",
        "username": "owner",
    }
