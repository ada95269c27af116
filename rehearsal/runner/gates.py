"""Jobs that wait before their environment: for reviewers, for the timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.runner.clock import Clock
from rehearsal.runner.environments import REJECTED, Gate, review_refusal
from rehearsal.runner.hub import InputError, NotAllowed
from rehearsal.runner.model import Job, PendingReview


class Refused(Exception):
    """A job that may not start; the text is what GitHub shows."""


@dataclass
class _Waiting:
    job: Job
    gate: Gate
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Task[None] | None = None
    """Waits for the rules; a bypass cancels it."""


class Gates:
    """The jobs of one run that wait for review or a timer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[_Waiting] = []

    async def pass_through(self, job: Job, gate: Gate, changed: Callable[[Job], None]) -> None:
        """Return when the job may start: the rules are met, or were bypassed. Raises Refused after a rejection."""
        if not gate.waits(self._clock.now()):
            return
        waiting = _Waiting(job, gate)
        self._waiting.append(waiting)
        job.status, job.waiting_since = "waiting", gate.since
        changed(job)
        waiting.opened = asyncio.create_task(self._until_open(waiting))
        try:
            await asyncio.wait({waiting.opened})
        finally:
            self._waiting.remove(waiting)
            bypassed = waiting.opened.cancelled()
            waiting.opened.cancel()
        if not bypassed:
            waiting.opened.result()

    async def _until_open(self, waiting: _Waiting) -> None:
        if waiting.gate.needs_review():
            await waiting.answered.wait()
        if waiting.gate.verdict == "rejected":
            raise Refused(REJECTED)
        await self._clock.until(waiting.gate.opens_at())

    def pending(self) -> list[PendingReview]:
        """One entry per environment, in the order in which the waiting began."""
        found: dict[str, PendingReview] = {}
        for waiting in self._waiting:
            rules = waiting.gate.rules
            if rules.name not in found:
                found[rules.name] = PendingReview(
                    environment=rules.name,
                    reviewers=list(rules.reviewers),
                    since=waiting.gate.since,
                    wait_timer=rules.wait_minutes,
                )
        return list(found.values())

    def answer(self, environments: list[str], state: str, user: str) -> None:
        """Approve or reject every job that waits for one of these environments.

        Raises InputError for an environment no job waits for or an unknown state, NotAllowed for who may not review;
        then nothing is changed.
        """
        if state not in ("approved", "rejected"):
            raise InputError(f"state '{state}' is neither 'approved' nor 'rejected'")
        concerned = [waiting for waiting in self._waiting if waiting.gate.rules.name in environments]
        for name in environments:
            if not any(waiting.gate.rules.name == name and waiting.gate.needs_review() for waiting in concerned):
                pending = ", ".join(review.environment for review in self.pending()) or "none"
                raise InputError(f"No job of this run waits for a review of '{name}'. Waiting: {pending}")
        for waiting in concerned:
            reason = review_refusal(waiting.gate, user)
            if reason is not None:
                raise NotAllowed(reason)
        for waiting in concerned:
            waiting.gate.verdict = state
            waiting.answered.set()

    def bypass(self, environments: list[str]) -> None:
        """Let every job go that waits for one of these environments: without a review, before the timer ends.

        Raises InputError for an environment no job waits for; then nothing is changed.
        """
        concerned = [
            waiting
            for waiting in self._waiting
            if waiting.gate.rules.name in environments and waiting.gate.verdict != "rejected"
        ]
        for name in environments:
            if not any(waiting.gate.rules.name == name for waiting in concerned):
                pending = ", ".join(review.environment for review in self.pending()) or "none"
                raise InputError(f"No job of this run waits for '{name}'. Waiting: {pending}")
        for waiting in concerned:
            if waiting.opened is not None:
                waiting.opened.cancel()
