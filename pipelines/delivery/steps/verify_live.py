"""Ask a component's public address whether it serves the release that was restored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import Step
from pipelines.delivery.steps.smoke import observe, require_passed

if TYPE_CHECKING:
    from pipelines.delivery.context import Context


@dataclass(frozen=True, kw_only=True)
class VerifyLive(Step):
    """The smoke checks of the component, against what its provider says is live."""

    name: ClassVar[str] = "verify-live"
    release: str

    @property
    def says(self) -> str:
        return f"ask its public address for {self.release}"

    def run(self, context: Context) -> str:
        live = context.host(self.component).live()
        main = live.main()
        commit = main.identity.commit if main and main.identity else ""
        report = observe(context, self.component, live.url, self.release, commit, journeys=False)
        return require_passed(report, context.environment, live.url)
