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


class Gates:
    """The jobs of one run that wait for review or a timer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[_Waiting] = []

    async def pass_through(self, job: Job, gate: Gate, changed: Callable[[Job], None]) -> None:
        """Return when the job may start. Raises Refused after a rejection."""
        if not gate.waits(self._clock.now()):
            return
        waiting = _Waiting(job, gate)
        self._waiting.append(waiting)
        job.status, job.waiting_since = "waiting", gate.since
        changed(job)
        try:
            if gate.needs_review():
                await waiting.answered.wait()
            if gate.verdict == "rejected":
                raise Refused(REJECTED)
            await self._clock.until(gate.opens_at())
        finally:
            self._waiting.remove(waiting)

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
