"""Compare the candidate of a component with what is live, before anybody is sent there."""

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
class Compare(GuardedStep):
    """Journeys in pairs, one to each side at an address of its own. Nobody waits for it, and nobody is served badly meanwhile."""

    name: ClassVar[str] = "compare"
    observes: ClassVar[bool] = True

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        return [
            cls(
                component=each.component,
                release=each.release,
                digest=each.digest,
                base=each.base.key,
                shares=each.shift,
                parts=each.parts,
                cost=each.cost,
            )
            for each in facts
            if each.base is not None and each.cost and each.base.digest != each.digest
        ]

    @property
    def says(self) -> str:
        return f"compare {self.release} with what is live, without traffic: {self.cost}"

    def done(self, live: Live) -> str:
        share = traffic.share_on_the_way(live, self.component, self.release, self.digest, self.shares, self.base)
        return f"has {share} % already" if share else ""

    def run(self, context: Context) -> str:
        guard = self.guard(context)
        found = traffic.candidate(guard.wait_while_held(), self.component, self.release, self.digest)
        watch = comparing.paired_watch(
            context,
            self.component,
            candidate=found.key,
            live=self.base,
            parts=self.parts,
            title=f"{self.component}, without traffic",
        )
        if watch is None:
            return "nothing is declared that could be asked"
        return watch.hold(0.0, comparing.throttled(lambda: guard.require_share(0))).says
