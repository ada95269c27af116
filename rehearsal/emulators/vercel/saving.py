"""An account as JSON and back."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from rehearsal.emulators.vercel.model import Alias, AliasRequest, Deployment, Domain, Event, File, Project, Variable
from rehearsal.emulators.vercel.state import Account


def to_json(account: Account) -> dict[str, Any]:
    """Everything but the clock and the pace."""
    return {
        "team_id": account.team_id,
        "last_time": account.last_time,
        "blobs": {sha: base64.b64encode(content).decode() for sha, content in account.blobs.items()},
        "projects": [asdict(project) for project in account.projects.values()],
        "deployments": [asdict(deployment) for deployment in account.deployments.values()],
        "aliases": [asdict(alias) for alias in account.aliases.values()],
    }


def from_json(account: Account, saved: dict[str, Any]) -> None:
    """Replace what the account holds. Times stay as they were, so what was due in between is done at once."""
    account.team_id = saved["team_id"]
    account.last_time = saved["last_time"]
    account.blobs.clear()
    account.blobs.update({sha: base64.b64decode(text) for sha, text in saved["blobs"].items()})
    account.projects = {project.id: project for project in map(_project, saved["projects"])}
    account.deployments = {deployment.id: deployment for deployment in map(_deployment, saved["deployments"])}
    account.aliases = {item["name"]: Alias(**item) for item in saved["aliases"]}


def _project(item: dict[str, Any]) -> Project:
    request = item["last_request"]
    return Project(
        **{
            **item,
            "domains": [Domain(**domain) for domain in item["domains"]],
            "variables": [Variable(**variable) for variable in item["variables"]],
            "last_request": None if request is None else AliasRequest(**request),
        }
    )


def _deployment(item: dict[str, Any]) -> Deployment:
    error = item["error"]
    return Deployment(
        **{
            **item,
            "files": [File(**file) for file in item["files"]],
            "events": [Event(**event) for event in item["events"]],
            "error": None if error is None else (error[0], error[1]),
        }
    )
