"""Give a candidate a share of the traffic, and watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery import comparing, traffic
from pipelines.delivery.guard import GuardedStep
from pipelines.delivery.steps.base import Facts, Step

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Live


@dataclass(frozen=True, kw_only=True)
class Shift(GuardedStep):
    """One step of traffic. The rest stays with the base."""

    name: ClassVar[str] = "shift"
    observes: ClassVar[bool] = True
    percent: int
    watch_seconds: float

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        return [
            cls(
                component=each.component,
                release=each.release,
                digest=each.digest,
                percent=percent,
                shares=each.shift,
                watch_seconds=each.watch_seconds,
                parts=each.parts,
                cost=each.watched if each.base else "",
                base=each.base.key if each.base else "",
            )
            for each in facts
            for percent in each.shift
        ]

    @property
    def says(self) -> str:
        watching = f", and compare it with {self.base}: {self.cost}" if self.cost else ""
        return f"give {self.percent} % of the traffic to {self.release}{watching}"

    def done(self, live: Live) -> str:
        share = traffic.share_on_the_way(live, self.component, self.release, self.digest, self.shares, self.base)
        if not self.base:
            # The first deployment of all may have had the traffic from its start, as a candidate: its host knows what is left to do.
            return ""
        return f"has {share} % already" if share >= self.percent else ""

    def run(self, context: Context) -> str:
        guard = self.guard(context)
        live = guard.wait_while_held()
        host = context.host(self.component)
        found = traffic.candidate(live, self.component, self.release, self.digest)
        if self.cost:
            # Both have an address before the traffic moves: giving one is a write, too.
            host.address(self.base)
        moved = host.shift(found.key, self.percent, lock=context.lock_id)
        if not self.cost:
            return f"{found.key} has {self.percent} %"
        serving = next((d for d in moved.serving() if d.identity and d.identity.release == self.release), found)
        watch = comparing.paired_watch(
            context,
            self.component,
            candidate=serving.key,
            live=self.base,
            parts=self.parts,
            title=f"{self.component} at {self.percent} %",
        )
        message = ""
        if watch is not None:
            message = watch.hold(
                self.watch_seconds, comparing.throttled(lambda: guard.require_share(self.percent))
            ).says
        guard.require_share(self.percent)
        return f"{serving.key} has {self.percent} %; {message}"
