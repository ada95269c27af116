"""Reviews of pull requests."""

from __future__ import annotations

from rehearsal.github.events.delivery import deliver
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.pulls.render import review as render_review
from rehearsal.github.pulls.render import simple_pull
from rehearsal.github.pulls.rules import check_dismiss, check_review
from rehearsal.github.pulls.state import PullRequest, PullRequestReview
from rehearsal.github.repositories.state import Repository

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


async def submit(
    instance: GitHubInstance,
    repository: Repository,
    pull: PullRequest,
    *,
    kind: str,
    body: str,
    commit: str,
    by: Identity,
) -> PullRequestReview:
    """Raises Problem 422 when an author judges their own work or an objection says nothing, 403 for a job's approval."""
    check_review(by, repository, pull, kind=kind, body=body)
    review = PullRequestReview(
        id=instance.database.next_id("review"),
        user=by.login,
        state=STATES[kind],
        body=body,
        commit_id=commit,
        submitted_at=instance.now(),
    )
    pull.reviews.append(review)
    pull.requested_reviewers = [login for login in pull.requested_reviewers if login != by.login]
    repository.issues[pull.number].updated_at = instance.now()
    await _deliver_event(instance, repository, pull, review, "submitted", by)
    return review


async def dismiss(
    instance: GitHubInstance,
    repository: Repository,
    pull: PullRequest,
    review: PullRequestReview,
    message: str,
    by: Identity,
) -> None:
    """Raises Problem 422 for one that neither approves nor objects."""
    check_dismiss(review)
    review.state = "DISMISSED"
    await _deliver_event(instance, repository, pull, review, "dismissed", by)


async def _deliver_event(
    instance: GitHubInstance,
    repository: Repository,
    pull: PullRequest,
    review: PullRequestReview,
    action: str,
    by: Identity,
) -> None:
    if pull.merge_sha is None:
        return
    view = instance.view()
    rendered = {**render_review(view, repository, pull, review), "state": review.state.lower()}
    await deliver(
        instance,
        repository,
        "pull_request_review",
        {"action": action, "review": rendered, "pull_request": simple_pull(view, repository, pull)},
        ref=f"refs/pull/{pull.number}/merge",
        sha=pull.merge_sha,
        by=by,
        from_fork=pull.head_repository != repository.full_name,
    )
