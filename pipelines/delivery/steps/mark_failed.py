"""Mark a release as failed at its provider, so that no rollback chooses it, also while GitHub is down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import Step

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Live, Marks


@dataclass(frozen=True, kw_only=True)
class MarkFailed(Step):
    """Written before the traffic moves: a rollback that is killed in between knows what it came from and where it was going."""

    name: ClassVar[str] = "mark-failed"
    observes: ClassVar[bool] = True
    release: str
    """Empty: nothing failed, somebody only goes back."""
    to: str
    """Empty: to something that was not deployed by us, which no later rollback could be asked for."""
    why: str

    @property
    def says(self) -> str:
        if not self.release:
            return f"mark the way to {self.to}"
        return f"mark {self.release} as taken back" + (f", on the way to {self.to}" if self.to else "")

    def done(self, live: Live) -> str:
        return "is marked already" if self.change(live.marks) == live.marks else ""

    def change(self, marks: Marks) -> Marks:
        """The marks with this one, the newest last. A release that was marked before keeps its first reason."""
        failed = dict(marks.failed)
        if self.release:
            failed[self.release] = failed.pop(self.release, self.why)
        failed.pop(self.to, None)
        return replace(marks, failed=failed, restoring=self.to)

    def run(self, context: Context) -> str:
        context.host(self.component).mark(self.change)
        return self.says
