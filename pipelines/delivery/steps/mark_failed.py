"""Mark at the provider that a component goes back, and stop whatever moves its traffic; also while GitHub is down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import Step
from pipelines.roles import Lock

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Marks


@dataclass(frozen=True, kw_only=True)
class MarkFailed(Step):
    """Written before the traffic moves: a rollback that is killed in between knows what it came from and where it was going, and a
    delivery that finds its lock taken does not write any more."""

    name: ClassVar[str] = "mark-failed"
    release: str
    """Empty: nothing failed, someone only goes back."""
    to: str
    """Empty: to something that was not deployed by us, which no later rollback could be asked for."""
    why: str
    kind: str = "rollback"
    """rollback: asked for by someone, which stops every delivery that was planned before; return: of a failed delivery, whose
    re-run goes on."""
    stops: str = ""
    """What is under way, in words; empty when nothing is."""

    @property
    def says(self) -> str:
        stopping = f"stop {self.stops}, and " if self.stops else ""
        if not self.release:
            return f"{stopping}mark the way to {self.to}"
        return f"{stopping}mark {self.release} as rolled back" + (f", on the way to {self.to}" if self.to else "")

    def change(self, marks: Marks, lock: Lock) -> Marks:
        """The marks with this one, the newest last. A release that was marked before keeps its first reason."""
        failed = dict(marks.failed)
        if self.release:
            failed[self.release] = failed.pop(self.release, self.why)
        failed.pop(self.to, None)
        started = marks.lock is not None and marks.lock.kind == self.kind and marks.restoring == self.to != ""
        return replace(
            marks,
            failed=failed,
            restoring=self.to,
            lock=lock,
            epoch=marks.epoch + (self.kind == "rollback" and not started),
            held="",
            unannounced=self.release or marks.unannounced,
        )

    def run(self, context: Context) -> str:
        lock = Lock(
            id=context.lock_id,
            kind=self.kind,
            release=self.to,
            by=context.runtime.actor,
            run=context.runtime.run_url,
        )
        context.host(self.component).mark(lambda marks: self.change(marks, lock))
        return self.says
