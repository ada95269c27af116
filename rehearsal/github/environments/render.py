"""Environments and their branch policies."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import simple_user
from rehearsal.github.environments.state import BranchPolicy, Environment
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, node_id, quoted, stamp


def reference(view: View, repository: Repository, one: Environment) -> dict[str, Any]:
    """The form inside pending deployments."""
    return {
        "id": one.id,
        "node_id": node_id("Environment", one.id),
        "name": one.name,
        "url": f"{view.repo(repository)}/environments/{quoted(one.name)}",
        "html_url": f"{view.page(repository)}/deployments/{quoted(one.name)}",
    }


def environment(view: View, repository: Repository, one: Environment) -> dict[str, Any]:
    policy = None
    if one.protected_branches or one.custom_policies:
        policy = {"protected_branches": one.protected_branches, "custom_branch_policies": one.custom_policies}
    return {
        **reference(view, repository, one),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "can_admins_bypass": one.admins_bypass,
        "protection_rules": _rules(view, one),
        "deployment_branch_policy": policy,
    }


def _rules(view: View, one: Environment) -> list[dict[str, Any]]:
    """Each rule has an id of its own, made from the environment's."""
    rules: list[dict[str, Any]] = []
    if one.wait_minutes:
        rules.append(_rule(one, 1, "wait_timer") | {"wait_timer": one.wait_minutes})
    if one.reviewers:
        rules.append(
            _rule(one, 2, "required_reviewers")
            | {"prevent_self_review": one.prevent_self_review, "reviewers": reviewers(view, one.reviewers)}
        )
    if one.protected_branches or one.custom_policies:
        rules.append(_rule(one, 3, "branch_policy"))
    return rules


def _rule(one: Environment, position: int, kind: str) -> dict[str, Any]:
    number = one.id * 10 + position
    return {"id": number, "node_id": node_id("Gate", number), "type": kind}


def reviewers(view: View, logins: list[str]) -> list[dict[str, Any]]:
    return [{"type": "User", "reviewer": simple_user(view, login)} for login in logins]


def branch_policy(one: BranchPolicy) -> dict[str, Any]:
    return {"id": one.id, "node_id": node_id("BranchPolicy", one.id), "name": one.name, "type": one.type}
