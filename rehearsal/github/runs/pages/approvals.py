"""What a run waits for before its environments, and whether the reader may decide it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearsal.github.environments.rules import review_refusal
from rehearsal.github.repositories.state import Repository
from rehearsal.github.runs.rules import started_by
from rehearsal.runner.hub import Runner
from rehearsal.runner.model import Run


@dataclass(frozen=True, kw_only=True)
class PendingApproval:
    """One environment in front of which jobs of a run wait."""

    environment: str
    reviewers: tuple[str, ...]
    since: datetime
    opens_at: datetime | None
    """When its wait timer ends; None without one."""
    needs_review: bool
    refusal: str
    """Why this reader may not review it; empty when they may."""
    may_bypass: bool
    """Whether this reader may let the jobs go without a review."""

    @property
    def may_review(self) -> bool:
        return self.needs_review and not self.refusal


def pending(repository: Repository, run: Run, runner: Runner, login: str, *, admin: bool) -> list[PendingApproval]:
    """In the order in which the waiting began. `admin`: the reader administers the repository."""
    if run.status == "completed":
        return []
    found = []
    for one in runner.pending(run.id):
        answered = any(one.environment in review.environments and review.at >= one.since for review in run.reviews)
        environment = repository.environment(one.environment)
        timer = one.since + timedelta(minutes=one.wait_timer) if one.wait_timer else None
        found.append(
            PendingApproval(
                environment=one.environment,
                reviewers=tuple(one.reviewers),
                since=one.since,
                opens_at=timer,
                needs_review=bool(one.reviewers) and not answered,
                refusal=review_refusal(environment, one.reviewers, started_by(run), login),
                may_bypass=admin and environment is not None and environment.admins_bypass,
            )
        )
    return found
