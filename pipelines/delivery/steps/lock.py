"""Take the lock of a component before its traffic is moved, so that the next holder stops this delivery, wherever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import Facts, PlannedStep, Step
from pipelines.errors import RefusedError
from pipelines.roles import Lock

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Live, Marks


@dataclass(frozen=True, kw_only=True)
class TakeLock(PlannedStep):
    """The lock is a mark at the provider, writable with deploy rights alone (docs/decisions/0506). The delivery that takes it last has it:
    a process that lost its runner and lives on cannot write any more."""

    name: ClassVar[str] = "lock"
    observes: ClassVar[bool] = True
    release: str
    digest: str
    base: str
    """The release that has the traffic; empty when nothing of ours has."""
    epoch: int
    """How often someone had rolled back when this was planned."""

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        return [
            cls(
                component=each.component,
                release=each.release,
                digest=each.digest,
                base=each.base.release if each.base else "",
                epoch=each.epoch,
            )
            for each in facts
        ]

    @property
    def says(self) -> str:
        return f"take the lock for {self.release}"

    def done(self, live: Live) -> str:
        main = live.main()
        stable = main is not None and live.marks.stable[:1] == (main.key,) and live.marks.lock is None
        return "is live and stable already" if stable and live.share(self.release, self.digest) == 100 else ""

    def change(self, marks: Marks, lock: Lock) -> Marks:
        """The marks with the lock. Raises RefusedError when no delivery may begin, or someone rolled back since this one was planned."""
        require_open(marks, self.component)
        if marks.epoch != self.epoch:
            raise RefusedError(
                f"someone rolled back since {self.release} was planned",
                where=self.component,
                why=marks.failed.get(self.release, "a rollback stops every delivery that was planned before it"),
                next_step="see `shipmate status`; to deliver it all the same, start the workflow again: it plans and asks anew",
            )
        return replace(marks, lock=lock)

    def run(self, context: Context) -> str:
        lock = Lock(
            id=context.lock_id,
            kind="delivery",
            release=self.release,
            base=self.base,
            by=context.runtime.actor,
            run=context.runtime.run_url,
        )
        context.host(self.component).mark(lambda marks: self.change(marks, lock))
        return "is locked"


def require_open(marks: Marks, component: str) -> None:
    """Raises RefusedError while the environment is frozen."""
    if marks.frozen:
        raise RefusedError(
            f"no delivery may begin: {marks.frozen}",
            where=component,
            why="the environment is frozen",
            next_step="wait, or open it again: shipmate thaw --environment …",
        )
