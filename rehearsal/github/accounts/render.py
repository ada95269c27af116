"""Users, the Actions app, collaborators."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.state import ACTIONS_APP_ID, User, at_least
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, node_id, stamp

LEGACY_PERMISSION = {"none": "none", "read": "read", "triage": "read", "write": "write", "maintain": "write"}
"""What the older `permission` field calls a role; admin is itself."""


def simple_user(view: View, login: str) -> dict[str, Any]:
    return of_user(view, view.user(login))


def of_user(view: View, user: User) -> dict[str, Any]:
    here = f"{view.api}/users/{user.login}"
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("User", user.id),
        "avatar_url": f"{view.html}/_avatars/{user.id}",
        "gravatar_id": "",
        "url": here,
        "html_url": f"{view.html}/{user.login}",
        "followers_url": f"{here}/followers",
        "following_url": f"{here}/following{{/other_user}}",
        "gists_url": f"{here}/gists{{/gist_id}}",
        "starred_url": f"{here}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{here}/subscriptions",
        "organizations_url": f"{here}/orgs",
        "repos_url": f"{here}/repos",
        "events_url": f"{here}/events{{/privacy}}",
        "received_events_url": f"{here}/received_events",
        "type": user.type,
        "site_admin": False,
    }


def maybe_user(view: View, login: str | None) -> dict[str, Any] | None:
    return None if login is None else simple_user(view, login)


def public_user(view: View, user: User) -> dict[str, Any]:
    owned = [one for one in view.database.repositories.values() if one.owner == user.login and not one.private]
    return {
        **of_user(view, user),
        "name": user.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": user.email or None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": len(owned),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(user.created_at),
        "updated_at": stamp(user.created_at),
    }


def private_user(view: View, user: User) -> dict[str, Any]:
    """What users see of themselves."""
    owned = [one for one in view.database.repositories.values() if one.owner == user.login and one.private]
    return {
        **public_user(view, user),
        "private_gists": 0,
        "total_private_repos": len(owned),
        "owned_private_repos": len(owned),
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
        "plan": {"name": "free", "space": 976562499, "collaborators": 0, "private_repos": 10000},
    }


def actions_app(view: View) -> dict[str, Any]:
    """The app that a job's token acts for."""
    return {
        "id": ACTIONS_APP_ID,
        "slug": "github-actions",
        "node_id": node_id("App", ACTIONS_APP_ID),
        "owner": simple_user(view, "github"),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": "https://help.github.com/en/actions",
        "html_url": f"{view.html}/apps/github-actions",
        "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2019-12-10T19:04:12Z",
        "permissions": {"actions": "write", "checks": "write", "contents": "write", "deployments": "write"},
        "events": ["check_run", "check_suite", "deployment", "push", "workflow_dispatch"],
    }


def app(view: View, app_id: int) -> dict[str, Any]:
    """An app by its number."""
    one = view.database.apps.get(app_id)
    if one is None:
        return actions_app(view)
    return {
        "id": one.id,
        "slug": one.slug,
        "node_id": node_id("App", one.id),
        "owner": simple_user(view, f"{one.slug}[bot]"),
        "name": one.name,
        "description": None,
        "external_url": f"{view.html}/apps/{one.slug}",
        "html_url": f"{view.html}/apps/{one.slug}",
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "permissions": {"checks": "write", "statuses": "write"},
        "events": [],
    }


def maybe_app(view: View, by_app: bool) -> dict[str, Any] | None:
    return actions_app(view) if by_app else None


def permissions(role: str) -> dict[str, bool]:
    return {
        "admin": at_least(role, "admin"),
        "maintain": at_least(role, "maintain"),
        "push": at_least(role, "write"),
        "triage": at_least(role, "triage"),
        "pull": at_least(role, "read"),
    }


def collaborator(view: View, repository: Repository, login: str) -> dict[str, Any]:
    role = repository.role_of(login)
    return {**simple_user(view, login), "permissions": permissions(role), "role_name": role}


def collaborator_permission(view: View, repository: Repository, login: str) -> dict[str, Any]:
    role = repository.role_of(login)
    return {
        "permission": LEGACY_PERMISSION.get(role, "admin"),
        "role_name": role,
        "user": collaborator(view, repository, login),
    }


def author_association(repository: Repository, login: str) -> str:
    """How GitHub labels what a user wrote here."""
    if login == repository.owner:
        return "OWNER"
    if at_least(repository.roles.get(login, "none"), "triage"):
        return "MEMBER"
    return "COLLABORATOR" if login in repository.roles else "NONE"
