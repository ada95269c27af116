"""Deployments and their statuses."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import maybe_app, simple_user
from rehearsal.github.deployments.state import Deployment, DeploymentStatus
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, node_id, stamp


def deployment(view: View, repository: Repository, one: Deployment) -> dict[str, Any]:
    here = f"{view.repo(repository)}/deployments/{one.id}"
    return {
        "url": here,
        "id": one.id,
        "node_id": node_id("Deployment", one.id),
        "sha": one.sha,
        "ref": one.ref,
        "task": one.task,
        "payload": one.payload,
        "original_environment": one.original_environment,
        "environment": one.environment,
        "description": one.description,
        "creator": simple_user(view, one.creator),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "statuses_url": f"{here}/statuses",
        "repository_url": view.repo(repository),
        "transient_environment": one.transient,
        "production_environment": one.production,
        "performed_via_github_app": maybe_app(view, one.by_app),
    }


def deployment_status(view: View, repository: Repository, of: Deployment, one: DeploymentStatus) -> dict[str, Any]:
    here = f"{view.repo(repository)}/deployments/{of.id}"
    return {
        "url": f"{here}/statuses/{one.id}",
        "id": one.id,
        "node_id": node_id("DeploymentStatus", one.id),
        "state": "pending" if one.state == "waiting" else one.state,  # REST has no word for waiting for review
        "creator": simple_user(view, one.creator),
        "description": one.description,
        "environment": one.environment,
        "environment_url": one.environment_url,
        "target_url": one.log_url,
        "log_url": one.log_url,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "deployment_url": here,
        "repository_url": view.repo(repository),
        "performed_via_github_app": maybe_app(view, one.by_app),
    }
