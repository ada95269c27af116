"""Mark what is live, checked and watched as good to come back to, at its provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import ArtifactStep
from pipelines.errors import ConflictError

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Live


@dataclass(frozen=True, kw_only=True)
class MarkStable(ArtifactStep):
    """The seal of what was proved: it counts when the run that proved it is gone."""

    name: ClassVar[str] = "mark-stable"
    observes: ClassVar[bool] = True

    @property
    def says(self) -> str:
        return f"mark {self.release} as stable"

    def done(self, live: Live) -> str:
        main = live.main()
        marked = main is not None and live.marks.stable[:1] == (main.key,) and live.marks.lock is None
        return "is marked as stable already" if marked and live.share(self.release, self.digest) == 100 else ""

    def run(self, context: Context) -> str:
        host = context.host(self.component)
        live = host.live()
        main = live.main()
        if main is None or live.share(self.release, self.digest) != 100:
            found = main.identity.release if main and main.identity else "something else"
            raise ConflictError(
                f"{found} is live, not {self.release} alone",
                where=self.component,
                why="someone rolled back or deployed meanwhile",
                next_step="see `shipmate status`; nothing was changed by this step",
            )
        host.mark_stable(main.key, lock=context.lock_id)
        return f"{main.key} is what a rollback may come back to"
