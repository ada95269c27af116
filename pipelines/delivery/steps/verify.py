"""Check the candidate of a component at its own address, before anybody is sent there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery import traffic
from pipelines.delivery.steps.base import Facts, PlannedStep, Step, counted
from pipelines.delivery.steps.smoke import observe, require_passed

if TYPE_CHECKING:
    from pipelines.delivery.context import Context


@dataclass(frozen=True, kw_only=True)
class Verify(PlannedStep):
    """The smoke checks and journeys of the component. Never done already: what was well an hour ago is asked again."""

    name: ClassVar[str] = "verify"
    release: str
    digest: str
    checks: int

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        return [
            cls(component=each.component, release=each.release, digest=each.digest, checks=each.checks)
            for each in facts
        ]

    @property
    def says(self) -> str:
        return f"{counted(self.checks)} of the candidate at its own address"

    def run(self, context: Context) -> str:
        host = context.host(self.component)
        url = host.address(traffic.candidate(host.live(), self.component, self.release, self.digest).key)
        report = observe(context, self.component, url, self.release, context.delivered.commit, headers=host.headers())
        return require_passed(report, context.environment, url)
