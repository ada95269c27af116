"""Pull requests and their reviews."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(kw_only=True)
class PullRequestReview:
    id: int
    user: str
    state: str
    """APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING"""
    body: str
    commit_id: str
    submitted_at: datetime


@dataclass(kw_only=True)
class MergeGroup:
    """A pull request merged into what is ahead of it in the queue, on a branch of its own, for checks."""

    ref: str
    """refs/heads/gh-readonly-queue/BASE/pr-NUMBER-SHA, where SHA is the base_sha"""
    base_sha: str
    head_sha: str
    made_at: datetime


@dataclass(kw_only=True)
class MergeQueueEntry:
    id: int
    """Lower numbers are ahead."""
    enqueuer: str
    enqueued_at: datetime
    head_sha: str
    """The head that was put into the queue."""
    group: MergeGroup | None = None
    """None until checks are asked for."""


@dataclass(kw_only=True)
class PullRequest:
    id: int
    number: int
    base_ref: str
    """Branch name, without refs/heads/."""
    base_sha: str
    head_repository: str
    """owner/name; a fork's when it differs from where the pull request stands."""
    head_ref: str
    head_sha: str
    last_pusher: str = ""
    """Who pushed the head; may not approve it where the last push needs another's approval."""
    draft: bool = False
    merge_sha: str | None = None
    """The test merge while open (refs/pull/N/merge), the commit it became once merged, None on conflict."""
    mergeable: bool = False
    """Whether head merges into base without conflict."""
    behind: bool = False
    """Whether base has commits that head lacks."""
    merged_at: datetime | None = None
    merged_by: str | None = None
    reviews: list[PullRequestReview] = field(default_factory=list)
    requested_reviewers: list[str] = field(default_factory=list)
    queue_entry: MergeQueueEntry | None = None
    """Its place in the merge queue of its base."""

    def standing_reviews(self) -> list[PullRequestReview]:
        """The review that counts of each user: the last one that approves, objects or was dismissed."""
        latest: dict[str, PullRequestReview] = {}
        for review in self.reviews:
            if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
                latest[review.user] = review
        return [review for review in latest.values() if review.state != "DISMISSED"]
