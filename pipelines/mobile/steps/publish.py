"""Publish the GitHub release of a version that its testers have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.errors import RefusedError
from pipelines.mobile.steps.base import Step
from pipelines.mobile.verification import workplace

if TYPE_CHECKING:
    from pipelines.mobile.context import Context


@dataclass(frozen=True, kw_only=True)
class Publish(Step):
    """Its notes name the builds with their checksums, and where they were delivered to; finishes what a killed run began."""

    name: ClassVar[str] = "publish"

    @property
    def says(self) -> str:
        return "publish the GitHub release"

    def run(self, context: Context) -> str:
        """Raises RefusedError while a platform is not delivered, and what publishing raises."""
        from release.changelog.writing import Given
        from release.publishing.contents import PublishRequest
        from release.publishing.github_forge import GitHubForge
        from release.publishing.publish import publish

        release = context.release
        lacking = [
            name for name in release.platforms if name not in context.results or not context.results[name].delivered
        ]
        if lacking:
            raise RefusedError(
                f"{' and '.join(lacking)} is not delivered",
                where=release.tag,
                next_step="re-run the failed jobs: what is delivered is not delivered again",
            )
        given = Given(
            deploys={name: f"sha256:{result.sha256}" for name, result in context.results.items()},
            highlights=[_line(context, name) for name in release.platforms],
        )
        outcome = publish(
            workplace(context),
            PublishRequest(given=given, live=True),
            say=context.runtime.say,
            forge=GitHubForge(context.hub),
        )
        for warning in outcome.warnings:
            context.runtime.annotate("warning", warning, title="Release")
        return outcome.published.entry.url if outcome.changed else f"{outcome.published.entry.url} is out already"


def _line(context: Context, platform: str) -> str:
    result = context.results[platform]  # type: ignore[index]
    return f"{platform}: build {result.number}, {result.text}"
