"""Apply the migrations of a component: expand before the candidate, contract when all that serves knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import Facts, PlannedStep, Step

if TYPE_CHECKING:
    from pipelines.delivery.context import Context


@dataclass(frozen=True, kw_only=True)
class Migrate(PlannedStep):
    """Both kinds in one step: the database is asked once. What it has already is not applied again."""

    name: ClassVar[str] = "migrate"
    release: str
    expand: tuple[str, ...] = ()
    contract: tuple[str, ...] = ()
    most: str = "0000"
    """Contract migrations above this number wait for a later release."""

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        return [
            cls(
                component=each.component,
                release=each.release,
                expand=each.expand,
                contract=each.contract,
                most=each.contracts,
            )
            for each in facts
            if each.expand or each.contract
        ]

    @property
    def says(self) -> str:
        kinds = (("expand", self.expand), ("contract", self.contract))
        return "; ".join(
            f"apply {len(files)} {kind} migration(s) as far as the database lacks them: {', '.join(files)}"
            for kind, files in kinds
            if files
        )

    def run(self, context: Context) -> str:
        from pipelines.delivery.migrations import due

        return due.apply(context, self.component, phase=due.DUE, release=self.release, most=self.most)
