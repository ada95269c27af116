"""Give all the traffic back to a deployment that was stable, and see that it stays there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery import traffic
from pipelines.delivery.guard import LOOK_SECONDS
from pipelines.delivery.steps.base import Step
from pipelines.errors import ConflictError
from pipelines.providers.marks import require_lock

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Live

LOOKS = 3


@dataclass(frozen=True, kw_only=True)
class Restore(Step):
    """One component. It is planned by rollback.py, which chooses one release for all of them."""

    name: ClassVar[str] = "restore"
    observes: ClassVar[bool] = True
    release: str
    key: str
    by: str = ""
    """How, where its provider has more than one way."""

    @property
    def says(self) -> str:
        return f"give all traffic to {self.release} ({self.key}){f', {self.by}' if self.by else ''}"

    def done(self, live: Live) -> str:
        found = live.find(self.key)
        return "has all traffic already" if found is not None and found.traffic == 100 else ""

    def run(self, context: Context) -> str:
        context.host(self.component).shift(self.key, 100, lock=context.lock_id)
        return f"{self.key} has all traffic"


@dataclass(frozen=True, kw_only=True)
class ConfirmRestored(Step):
    """A delivery that was stopped may have had a write on its way. A host with conditional writes refuses it; of one without, like an
    alias, the traffic is looked at again, and given back again."""

    name: ClassVar[str] = "stay-restored"
    release: str
    key: str

    @property
    def says(self) -> str:
        return f"look again whether {self.release} still has all traffic: something was stopped"

    def run(self, context: Context) -> str:
        """Raises ConflictError when someone takes it away again and again, or goes back elsewhere meanwhile."""
        host = context.host(self.component)
        for _ in range(LOOKS):
            context.clock.sleep(LOOK_SECONDS)
            live = host.live()
            require_lock(live.marks, context.lock_id, self.component)
            found = live.find(self.key)
            if found is not None and found.traffic == 100:
                return f"{self.key} still has all traffic"
            context.runtime.say(f"  {self.component}: the traffic was moved again ({traffic.shown(live)}); given back")
            host.shift(self.key, 100, lock=context.lock_id)
        raise ConflictError(
            f"the traffic is moved away from {self.release} again and again",
            where=self.component,
            why="someone deploys by other means",
            next_step="see `shipmate status` and the provider's audit log, stop them, and run this again",
        )


@dataclass(frozen=True, kw_only=True)
class MarkRestored(Step):
    """The rollback of a component has arrived: it is stable again, on the way to nowhere, and nobody's."""

    name: ClassVar[str] = "mark-restored"
    observes: ClassVar[bool] = True
    release: str
    key: str

    @property
    def says(self) -> str:
        return f"mark {self.release} as stable again"

    def done(self, live: Live) -> str:
        marks = live.marks
        arrived = marks.stable[:1] == (self.key,) and not marks.restoring and marks.lock is None
        return "is marked already" if arrived else ""

    def run(self, context: Context) -> str:
        context.host(self.component).mark_stable(self.key, lock=context.lock_id)
        return f"{self.key} is what a rollback comes back to"
