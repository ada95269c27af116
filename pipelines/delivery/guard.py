"""Whether a delivery may go on moving the traffic of a component: looked at before every write and while it watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.delivery import traffic
from pipelines.delivery.steps.base import PlannedStep
from pipelines.errors import CheckFailed, ConflictError
from pipelines.polling import Polling
from pipelines.providers.marks import require_lock

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Live

LOOK_SECONDS = 2.0
"""While watching, the provider is looked at this often."""
POLLING = Polling(interval=LOOK_SECONDS, growth=1.2, longest=15.0)
"""While it is held."""


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The state in which the step before left a component."""

    context: Context
    component: str
    release: str
    digest: str
    base: str
    """Key of the deployment that has the rest of the traffic; empty when nothing is live."""
    shares: Sequence[int]
    """The shares that the candidate may have."""

    def require(self) -> Live:
        """The state. Raises ConflictError when the lock is someone else's, RefusedError when the traffic is not as it was left."""
        live = self.context.host(self.component).live()
        require_lock(live.marks, self.context.lock_id, self.component)
        traffic.share_on_the_way(live, self.component, self.release, self.digest, self.shares, self.base)
        return live

    def require_share(self, percent: int) -> None:
        """`require`, and that the candidate has just this share."""
        live = self.require()
        share = live.share(self.release, self.digest)
        if share != percent:
            raise ConflictError(
                f"it has {share} % of the traffic instead of {percent} %",
                where=self.component,
                why="someone moved traffic meanwhile",
                next_step="see `shipmate status`; nothing was changed by this step",
            )

    def wait_while_held(self) -> Live:
        """The state once nobody holds the delivery any more. Raises CheckFailed when that takes longer than the manifest allows, and
        what `require` raises."""
        clock, message = self.context.clock, ""
        for look in POLLING.looks(clock, clock.deadline(self.context.settings.hold_seconds)):
            live = self.require()
            if not live.marks.held:
                return live
            if live.marks.held != message:
                message = live.marks.held
                self.context.runtime.say(f"  held: {message}; `shipmate resume` lets it go on")
            if look.last:
                raise CheckFailed(
                    f"held for more than {self.context.settings.hold_seconds:g} s: {message}",
                    where=self.component,
                    why="a split of the traffic must not stay for ever (`hold_seconds` in the manifest)",
                    next_step="the traffic goes back to the release before; start the workflow again when it may go on",
                )
        raise AssertionError("unreachable: the last look returns or raises")


@dataclass(frozen=True, kw_only=True)
class GuardedStep(PlannedStep):
    """A step of one component whose traffic must be as the step before left it, at its beginning and while it lasts."""

    release: str
    digest: str
    base: str
    """Key of the deployment that has the rest of the traffic; empty when nothing is live."""
    shares: tuple[int, ...]
    """Every share that this delivery gives the candidate, one after the other."""
    parts: int
    """Comparisons with what is live that the whole release goes through: they share one budget of false alarms."""
    cost: str
    """What comparing takes, in words; empty where nothing is compared."""

    def guard(self, context: Context) -> Guard:
        """What must hold of the component for as long as this step works."""
        return Guard(
            context=context,
            component=self.component,
            release=self.release,
            digest=self.digest,
            base=self.base,
            shares=self.shares,
        )
