"""Repositories."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import permissions, simple_user
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, node_id, stamp

_TEMPLATES = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}


def repository(view: View, one: Repository, role: str | None = None) -> dict[str, Any]:
    """A repository with every field the full, the plain and the minimal form require."""
    here, page = view.repo(one), view.page(one)
    body = {
        "id": one.id,
        "node_id": node_id("Repository", one.id),
        "name": one.name,
        "full_name": one.full_name,
        "private": one.private,
        "owner": simple_user(view, one.owner),
        "html_url": page,
        "description": one.description,
        "fork": one.fork_of is not None,
        "url": here,
        **{name: f"{here}/{template}" for name, template in _TEMPLATES.items()},
        "clone_url": f"{page}.git",
        "git_url": f"git:{page.partition(':')[2]}.git",
        "ssh_url": f"git@github.com:{one.full_name}.git",
        "svn_url": page,
        "mirror_url": None,
        **_facts(view, one),
    }
    return body if role is None else {**body, "permissions": permissions(role)}


def _facts(view: View, one: Repository) -> dict[str, Any]:
    forks = len(view.database.forks_of(one.full_name))
    opened = sum(1 for issue in one.issues.values() if issue.state == "open")
    return {
        "homepage": None,
        "language": None,
        "license": None,
        "topics": [],
        "visibility": "private" if one.private else "public",
        "default_branch": one.default_branch,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "pushed_at": stamp(one.pushed_at),
        "size": 0,
        "forks": forks,
        "forks_count": forks,
        "network_count": forks,
        "stargazers_count": 0,
        "subscribers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "open_issues": opened,
        "open_issues_count": opened,
        "archived": False,
        "disabled": False,
        "is_template": False,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "has_issues": True,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
    }


def full_repository(view: View, one: Repository, role: str) -> dict[str, Any]:
    """A repository by itself, with its settings and, for a fork, where it comes from."""
    body = {
        **repository(view, one, role),
        "allow_merge_commit": one.settings.allow_merge_commit,
        "allow_squash_merge": one.settings.allow_squash_merge,
        "allow_rebase_merge": one.settings.allow_rebase_merge,
        "allow_auto_merge": False,
        "allow_update_branch": False,
        "delete_branch_on_merge": one.settings.delete_branch_on_merge,
        "use_squash_pr_title_as_default": False,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
        "temp_clone_token": None,
    }
    if view.user(one.owner).type == "Organization":
        body["organization"] = simple_user(view, one.owner)
    parent = view.database.repository(one.fork_of) if one.fork_of is not None else None
    if parent is not None:
        body["parent"] = body["source"] = repository(view, parent)
    return body
