"""What was item under an issue or a pull request, and what happened there, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rehearsal.github.issues.state import Issue
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository


@dataclass(frozen=True, kw_only=True)
class TimelineItem:
    """One contribution. `kind` is comment, review or event."""

    kind: str
    user: str
    at: datetime
    anchor: str
    action: str
    """commented, approved these changes, merged this as 4f2a1c0, ..."""
    body: str = ""
    state: str = ""
    by_app: bool = False


_VERDICTS = {
    "APPROVED": ("approved these changes", "approved"),
    "CHANGES_REQUESTED": ("asked for changes", "changes_requested"),
    "COMMENTED": ("reviewed", "commented"),
    "DISMISSED": ("reviewed; the review no longer counts", "dismissed"),
    "PENDING": ("began a review", "commented"),
}


def of_issue(repository: Repository, issue: Issue) -> list[TimelineItem]:
    """The description first, then everything by its time."""
    pull = repository.pulls.get(issue.number)
    later = [*_comments(repository, issue), *_reviews(pull), *_endings(issue, pull)]
    opened = TimelineItem(
        kind="comment",
        user=issue.user,
        at=issue.created_at,
        anchor=f"issue-{issue.id}",
        action="opened this",
        body=issue.body or "",
    )
    return [opened, *sorted(later, key=lambda item: item.at)]


def _comments(repository: Repository, issue: Issue) -> list[TimelineItem]:
    return [
        TimelineItem(
            kind="comment",
            user=one.user,
            at=one.created_at,
            anchor=f"issuecomment-{one.id}",
            action="commented" if one.updated_at == one.created_at else "commented (edited)",
            body=one.body,
            by_app=one.by_app,
        )
        for one in repository.comments_of(issue.number)
    ]


def _reviews(pull: PullRequest | None) -> list[TimelineItem]:
    found = []
    for one in pull.reviews if pull is not None else ():
        action, state = _VERDICTS.get(one.state, ("reviewed", "commented"))
        found.append(
            TimelineItem(
                kind="review",
                user=one.user,
                at=one.submitted_at,
                anchor=f"pullrequestreview-{one.id}",
                action=f"{action} at {one.commit_id[:7]}",
                body=one.body,
                state=state,
            )
        )
    return found


def _endings(issue: Issue, pull: PullRequest | None) -> Sequence[TimelineItem]:
    if pull is not None and pull.merged_at is not None:
        action = f"merged this as {(pull.merge_sha or '')[:7]}"
        return [
            TimelineItem(
                kind="event",
                user=pull.merged_by or "ghost",
                at=pull.merged_at,
                anchor="merged",
                action=action,
                state="merged",
            )
        ]
    if issue.closed_at is None:
        return []
    how = f" as {issue.state_reason.replace('_', ' ')}" if issue.state_reason else ""
    return [
        TimelineItem(
            kind="event",
            user=issue.closed_by or "ghost",
            at=issue.closed_at,
            anchor="closed",
            action=f"closed this{how}",
            state="closed",
        )
    ]
