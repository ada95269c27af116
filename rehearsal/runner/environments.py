"""Protection of deployment environments: who may deploy from where, who approves, how long it waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rehearsal.runner import globs
from rehearsal.runner.hub import EnvironmentRules

REJECTED = "The deployment was rejected or didn't satisfy other protection rules."


@dataclass(kw_only=True)
class Gate:
    """One job before its environment's rules. `since` is when it began to wait."""

    rules: EnvironmentRules
    since: datetime
    starter: str
    """Who started this attempt of the run: may not approve under `prevent_self_review`."""
    verdict: str | None = None
    """approved or rejected, once given."""
    passed: bool = field(default=False)

    def needs_review(self) -> bool:
        return bool(self.rules.reviewers) and self.verdict is None

    def opens_at(self) -> datetime:
        """When the wait timer ends."""
        return self.since + timedelta(minutes=self.rules.wait_minutes)

    def waits(self, now: datetime) -> bool:
        return self.needs_review() or now < self.opens_at()


def refusal(rules: EnvironmentRules, ref: str) -> str | None:
    """Why a ref may not deploy to an environment, in GitHub's words; None when it may."""
    if not rules.branch_patterns and not rules.tag_patterns:
        return None
    kind, patterns = ("Tag", rules.tag_patterns) if ref.startswith("refs/tags/") else ("Branch", rules.branch_patterns)
    name = ref.removeprefix("refs/tags/").removeprefix("refs/heads/")
    if globs.matches(patterns, name):
        return None
    return f'{kind} "{name}" is not allowed to deploy to {rules.name} due to environment protection rules.'


def review_refusal(gate: Gate, user: str) -> str | None:
    """Why `user` may not review, with who may; None when they may."""
    rules = gate.rules
    others = [reviewer for reviewer in rules.reviewers if not (rules.prevent_self_review and reviewer == gate.starter)]
    may = f"Reviewers who may: {', '.join(others) or 'nobody; add a reviewer who did not start the run'}."
    if user not in rules.reviewers:
        return f"{user} is not a required reviewer of {rules.name}. {may}"
    if rules.prevent_self_review and user == gate.starter:
        return f"{user} started this run, and {rules.name} does not allow self-review. {may}"
    return None
