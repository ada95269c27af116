"""Pull requests and reviews."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import author_association, maybe_user, simple_user
from rehearsal.github.git.history import Size
from rehearsal.github.issues.render import labels_of
from rehearsal.github.pulls.rules import mergeable_state
from rehearsal.github.pulls.state import PullRequest, PullRequestReview
from rehearsal.github.repositories.render.repositories import repository as render_repository
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, maybe_stamp, node_id, stamp


def simple_pull(view: View, repository: Repository, one: PullRequest) -> dict[str, Any]:
    """The form of lists."""
    issue = repository.issues[one.number]
    here = f"{view.repo(repository)}/pulls/{one.number}"
    page = f"{view.page(repository)}/pull/{one.number}"
    urls = _urls(view, repository, one, here, page)
    return {
        "id": one.id,
        "node_id": node_id("PullRequest", one.id),
        **urls,
        "number": one.number,
        "state": issue.state,
        "locked": issue.locked,
        "active_lock_reason": None,
        "title": issue.title,
        "body": issue.body,
        "user": simple_user(view, issue.user),
        "author_association": author_association(repository, issue.user),
        "labels": labels_of(view, repository, issue),
        "milestone": None,
        "assignee": maybe_user(view, issue.assignees[0] if issue.assignees else None),
        "assignees": [simple_user(view, login) for login in issue.assignees],
        "requested_reviewers": [simple_user(view, login) for login in one.requested_reviewers],
        "requested_teams": [],
        "draft": one.draft,
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": maybe_stamp(issue.closed_at),
        "merged_at": maybe_stamp(one.merged_at),
        "merge_commit_sha": one.merge_sha,
        "auto_merge": None,
        "head": _side(view, repository, one.head_repository, one.head_ref, one.head_sha),
        "base": _side(view, repository, repository.full_name, one.base_ref, one.base_sha),
        "_links": _links(urls),
    }


def full_pull(view: View, repository: Repository, one: PullRequest, size: Size) -> dict[str, Any]:
    """A pull request by itself."""
    opened = repository.issues[one.number].state == "open"
    return {
        **simple_pull(view, repository, one),
        "merged": one.merged_at is not None,
        "mergeable": one.mergeable if opened else None,
        "rebaseable": one.mergeable if opened else None,
        "mergeable_state": mergeable_state(repository, one),
        "merged_by": maybe_user(view, one.merged_by),
        "comments": len(repository.comments_of(one.number)),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": size.commits,
        "additions": size.additions,
        "deletions": size.deletions,
        "changed_files": size.files,
    }


def minimal_pull(view: View, repository: Repository, one: PullRequest) -> dict[str, Any]:
    """The form inside runs and check runs."""
    head = view.database.repository(one.head_repository) or repository
    return {
        "id": one.id,
        "number": one.number,
        "url": f"{view.repo(repository)}/pulls/{one.number}",
        "head": {"ref": one.head_ref, "sha": one.head_sha, "repo": _repo_reference(view, head)},
        "base": {"ref": one.base_ref, "sha": one.base_sha, "repo": _repo_reference(view, repository)},
    }


def pulls_of(view: View, repository: Repository, sha: str) -> list[dict[str, Any]]:
    """The open pull requests with this head, minimal."""
    return [minimal_pull(view, repository, one) for one in repository.open_pulls() if one.head_sha == sha]


def review(view: View, repository: Repository, pull: PullRequest, one: PullRequestReview) -> dict[str, Any]:
    here = f"{view.repo(repository)}/pulls/{pull.number}"
    page = f"{view.page(repository)}/pull/{pull.number}#pullrequestreview-{one.id}"
    return {
        "id": one.id,
        "node_id": node_id("PullRequestReview", one.id),
        "user": simple_user(view, one.user),
        "body": one.body,
        "state": one.state,
        "html_url": page,
        "pull_request_url": here,
        "author_association": author_association(repository, one.user),
        "submitted_at": stamp(one.submitted_at),
        "commit_id": one.commit_id,
        "_links": {"html": {"href": page}, "pull_request": {"href": here}},
    }


def _urls(view: View, repository: Repository, one: PullRequest, here: str, page: str) -> dict[str, str]:
    base = view.repo(repository)
    return {
        "url": here,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": f"{base}/issues/{one.number}",
        "commits_url": f"{here}/commits",
        "review_comments_url": f"{here}/comments",
        "review_comment_url": f"{base}/pulls/comments{{/number}}",
        "comments_url": f"{base}/issues/{one.number}/comments",
        "statuses_url": f"{base}/statuses/{one.head_sha}",
    }


def _links(urls: dict[str, str]) -> dict[str, Any]:
    names = {
        "self": "url",
        "html": "html_url",
        "issue": "issue_url",
        "comments": "comments_url",
        "review_comments": "review_comments_url",
        "review_comment": "review_comment_url",
        "commits": "commits_url",
        "statuses": "statuses_url",
    }
    return {name: {"href": urls[key]} for name, key in names.items()}


def _side(view: View, repository: Repository, full_name: str, ref: str, sha: str) -> dict[str, Any]:
    where = view.database.repository(full_name) or repository
    return {
        "label": f"{where.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": simple_user(view, where.owner),
        "repo": render_repository(view, where),
    }


def _repo_reference(view: View, repository: Repository) -> dict[str, Any]:
    return {"id": repository.id, "url": view.repo(repository), "name": repository.name}
