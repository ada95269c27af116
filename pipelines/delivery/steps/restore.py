"""Give all the traffic back to a deployment that was stable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import Step

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Live


@dataclass(frozen=True, kw_only=True)
class Restore(Step):
    """One component. It is planned by rollback.py, which chooses one release for all of them."""

    name: ClassVar[str] = "restore"
    observes: ClassVar[bool] = True
    release: str
    key: str

    @property
    def says(self) -> str:
        return f"give all traffic to {self.release} ({self.key})"

    def done(self, live: Live) -> str:
        found = live.find(self.key)
        return "has all traffic already" if found is not None and found.traffic == 100 else ""

    def run(self, context: Context) -> str:
        context.host(self.component).shift(self.key, 100)
        return f"{self.key} has all traffic"


@dataclass(frozen=True, kw_only=True)
class MarkRestored(Step):
    """The rollback of a component has arrived: it is stable again, and on the way to nowhere."""

    name: ClassVar[str] = "mark-restored"
    observes: ClassVar[bool] = True
    release: str
    key: str

    @property
    def says(self) -> str:
        return f"mark {self.release} as stable again"

    def done(self, live: Live) -> str:
        arrived = live.marks.stable[:1] == (self.key,) and not live.marks.restoring
        return "is marked already" if arrived else ""

    def run(self, context: Context) -> str:
        context.host(self.component).mark_stable(self.key)
        return f"{self.key} is what a rollback comes back to"
