"""Reserve a build number for each platform, before anything is built with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pipelines.mobile.numbers import Counter
from pipelines.mobile.steps.base import PlatformStep

if TYPE_CHECKING:
    from pipelines.mobile.context import Context


@dataclass(frozen=True, kw_only=True)
class Reserve(PlatformStep):
    """The same number again for a version and commit that have one."""

    name: ClassVar[str] = "reserve"

    @property
    def says(self) -> str:
        return "reserve its build number"

    def already(self, context: Context) -> str:
        return "it is released already" if context.published else ""

    def run(self, context: Context) -> str:
        """Raises RefusedError, ConflictError, and what GitHub's calls raise."""
        release = context.release
        taken = Counter(context.hub, self.platform).take(
            release.version,
            release.commit,
            context.seen.get(self.platform, set()),
            run=context.runtime.run_url,
            above=context.above.get(self.platform, 0),
        )
        context.plan = replace(release, numbers={**release.numbers, self.platform: taken.number})
        return f"build number {taken.number}"
