"""Look at everything that could stop the release, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.mobile import verification
from pipelines.mobile.plan import Plan
from pipelines.mobile.steps.base import Step

if TYPE_CHECKING:
    from pipelines.mobile.context import Context


@dataclass(frozen=True, kw_only=True)
class Verify(Step):
    """Leaves the plan in the context, still without numbers."""

    name: ClassVar[str] = "verify"

    @property
    def says(self) -> str:
        return "tag, commit, app and accounts"

    def run(self, context: Context) -> str:
        """Raises RefusedError, CredentialsError with all problems; InputError for a tag that is no version of the apps."""
        found = verification.verify(context)
        for line in found.passed:
            context.runtime.say(f"  {line}")
        verification.require(context, found)
        context.seen, context.published = found.seen, found.published
        context.plan = Plan(
            tag=context.tag,
            version=found.version,
            commit=context.commit,
            profile=context.mobile.eas.profile,
            numbers={},
            notes=found.notes,
        )
        return f"{found.version} is released already" if found.published else f"{found.version} can be released"
