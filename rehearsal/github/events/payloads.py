"""The bodies of webhooks (https://docs.github.com/webhooks), what differs from the form of the REST API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rehearsal.github.accounts.render import simple_user
from rehearsal.github.accounts.state import User
from rehearsal.github.git.bare import ZERO
from rehearsal.github.git.history import Touched
from rehearsal.github.git.objects import Commit, Signature
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.repositories.render.repositories import repository as render_repository
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View

_COMMITS_LISTED = 2048


def common(view: View, repository: Repository, sender: str) -> dict[str, Any]:
    """What every event carries."""
    body = {"repository": render_repository(view, repository), "sender": simple_user(view, sender)}
    owner = view.user(repository.owner)
    if owner.type == "Organization":
        body["organization"] = organization(view, owner)
    return body


def organization(view: View, owner: User) -> dict[str, Any]:
    here = f"{view.api}/orgs/{owner.login}"
    names = ("repos", "events", "hooks", "issues")
    return {
        "login": owner.login,
        "id": owner.id,
        "node_id": simple_user(view, owner.login)["node_id"],
        "url": here,
        **{f"{name}_url": f"{here}/{name}" for name in names},
        "members_url": f"{here}/members{{/member}}",
        "public_members_url": f"{here}/public_members{{/member}}",
        "avatar_url": f"{view.html}/_avatars/{owner.id}",
        "description": None,
    }


def push(
    view: View,
    repository: Repository,
    change: RefChange,
    *,
    pusher: User,
    forced: bool,
    head: Commit | None,
    commits: Sequence[tuple[Commit, Touched]],
) -> dict[str, Any]:
    """`head` is None when a ref was deleted; `commits` are those new to the branch, oldest first."""
    listed = [_commit(view, repository, commit, touched) for commit, touched in commits[-_COMMITS_LISTED:]]
    span = f"{change.old[:12]}...{change.new[:12]}"
    of_head = next((touched for commit, touched in commits if commit.sha == (head.sha if head else "")), Touched())
    return {
        "ref": change.ref,
        "before": change.old,
        "after": change.new,
        "created": change.old == ZERO,
        "deleted": change.new == ZERO,
        "forced": forced,
        "base_ref": None,
        "compare": f"{view.page(repository)}/compare/{span}",
        "commits": listed,
        "head_commit": None if head is None else _commit(view, repository, head, of_head),
        "pusher": {"name": pusher.login, "email": pusher.email},
        "repository": _push_repository(view, repository),
    }


def _push_repository(view: View, repository: Repository) -> dict[str, Any]:
    """Push events give times as epoch seconds, and the owner with name and address."""
    owner = view.user(repository.owner)
    return {
        **render_repository(view, repository),
        "created_at": int(repository.created_at.timestamp()),
        "pushed_at": int(repository.pushed_at.timestamp()),
        "owner": {**simple_user(view, repository.owner), "name": owner.name, "email": owner.email or None},
        "stargazers": 0,
        "master_branch": repository.default_branch,
    }


def _commit(view: View, repository: Repository, one: Commit, touched: Touched) -> dict[str, Any]:
    return {
        "id": one.sha,
        "tree_id": one.tree,
        "distinct": True,
        "message": one.message,
        "timestamp": one.committer.at.isoformat(),
        "url": f"{view.page(repository)}/commit/{one.sha}",
        "author": _person(view, one.author),
        "committer": _person(view, one.committer),
        "added": list(touched.added),
        "removed": list(touched.removed),
        "modified": list(touched.modified),
    }


def _person(view: View, signature: Signature) -> dict[str, Any]:
    body: dict[str, Any] = {"name": signature.name, "email": signature.email}
    user = view.database.user_by_email(signature.email)
    return body if user is None else {**body, "username": user.login}


def ref_event(repository: Repository, ref: str, *, created: bool) -> dict[str, Any]:
    """`create` and `delete`."""
    kind = "tag" if ref.startswith("refs/tags/") else "branch"
    body: dict[str, Any] = {
        "ref": ref.removeprefix("refs/heads/").removeprefix("refs/tags/"),
        "ref_type": kind,
        "pusher_type": "user",
    }
    if created:
        body |= {"master_branch": repository.default_branch, "description": repository.description}
    return body


def dispatch(ref: str, workflow_path: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"inputs": inputs, "ref": ref, "workflow": workflow_path}


def schedule(cron: str, workflow_path: str) -> dict[str, Any]:
    return {"schedule": cron, "workflow": workflow_path}


def status(repository: Repository, rendered: dict[str, Any], commit: dict[str, Any]) -> dict[str, Any]:
    """`status`: `rendered` is the status, `commit` the commit, both as the REST API has them."""
    names = ("id", "state", "description", "target_url", "context", "created_at", "updated_at", "avatar_url")
    return {
        **{name: rendered[name] for name in names},
        "sha": commit["sha"],
        "name": repository.full_name,
        "branches": [],
        "commit": commit,
    }
