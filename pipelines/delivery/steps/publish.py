"""Publish the GitHub release of what users have now; finishes what a killed run began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.context import require_github
from pipelines.delivery.steps.base import Facts, PlannedStep, Step
from pipelines.errors import RefusedError, ShipmateError

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.delivery.context import Context
    from release.context import ReleaseContext

FOLDER = "release"
"""Below `Context.work`: the files that were prepared and attested before."""


@dataclass(frozen=True, kw_only=True)
class Publish(PlannedStep):
    """See the module. `component` is the release: it is about no component of its own."""

    name: ClassVar[str] = "publish"
    release: str

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        return [cls(component="release", release=facts[0].release)]

    @property
    def says(self) -> str:
        return f"publish the GitHub release {self.release}"

    def run(self, context: Context) -> str:
        """Raises TagGone, TagMoved, RefusedError for what was rolled back, Withdrawn, and what publishing raises besides.

        Users have it: whatever else could be held against it was asked before it was deployed (preflight.py), and is only reported now.
        """
        from release.publishing.contents import PublishRequest
        from release.publishing.github_forge import GitHubForge
        from release.publishing.publish import publish

        forge = GitHubForge(require_github(context))
        require_not_taken_back(context, self.release)
        prepared = context.work / FOLDER
        request = PublishRequest(prepared=prepared if prepared.is_dir() else None, live=True)
        outcome = publish(workplace(context), request, say=context.runtime.say, forge=forge)
        for warning in outcome.warnings:
            context.runtime.annotate("warning", warning, title="Release")
        return outcome.published.entry.url if outcome.changed else f"{outcome.published.entry.url} is out already"


def require_not_taken_back(context: Context, release: str) -> None:
    """Ask the providers' own marks. One that cannot be asked is reported, and stops nothing. Raises RefusedError, Withdrawn."""
    from release.refusals import Withdrawn

    for component in context.delivered.artifacts:
        try:
            marks = context.host(component).live().marks
        except ShipmateError as error:
            message = f"{component}: it could not be asked whether {release} was rolled back meanwhile ({error.what})"
            context.runtime.annotate("warning", message, title="Release")
            continue
        if release in marks.withdrawn:
            raise Withdrawn(
                f"{release} was withdrawn: {marks.withdrawn[release]}",
                where=component,
                next_step="release the next version",
            )
        if release in marks.failed:
            raise RefusedError(
                f"{release} was rolled back: {marks.failed[release]}",
                where=component,
                why="what users do not have any more is not offered to anybody",
                next_step="fix it and release the next version; `shipmate status` says what is live",
            )


def workplace(context: Context) -> ReleaseContext:
    """The release's own tree, judged by the rules of the policy."""
    from release.context import ReleaseContext

    return ReleaseContext(
        folder=context.manifest.root,
        version=context.delivered.name,
        commit=context.delivered.commit,
        environ=context.runtime.environ,
        given=context.manifest,
    )


def prepare(context: Context) -> Path:
    """Write the files of the release (SBOMs, checksums, notes), so that they can be attested before they are out; their folder.

    Raises TagGone, TagMoved, and what preparing raises.
    """
    from release.changelog.selection import section_for
    from release.changelog.writing import Given
    from release.publishing.assets import prepare as write
    from release.publishing.gates import require_tag
    from release.publishing.github_forge import GitHubForge

    release = context.delivered
    require_tag(GitHubForge(require_github(context)), release.name, release.commit)
    folder = context.work / FOLDER
    place = workplace(context)
    write(place, section_for(place), folder, Given(deploys=dict(release.artifacts)))
    return folder
