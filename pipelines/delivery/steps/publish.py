"""Publish the GitHub release of what users have now; finishes what a killed run began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.context import require_github
from pipelines.delivery.steps.base import Facts, PlannedStep, Step

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.delivery.context import Context
    from release.workplace import Workplace

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
        from pipelines.delivery import tag
        from release.github_forge import GitHubForge
        from release.releasing import Asked, publish

        github = require_github(context)
        tag.require_unmoved(github, self.release, context.delivered.commit)
        prepared = context.work / FOLDER
        asked = Asked(version=self.release, prepared=prepared if prepared.is_dir() else None)
        outcome = publish(workplace(context), asked, say=context.runtime.say, forge=GitHubForge(github))
        for warning in outcome.warnings:
            context.runtime.annotate("warning", warning, title="Release")
        return outcome.published.entry.url if outcome.changed else f"{outcome.published.entry.url} is out already"


def workplace(context: Context) -> Workplace:
    """The release's own tree, judged by the rules of the policy."""
    from release.workplace import Workplace

    return Workplace(
        folder=context.manifest.root,
        commit=context.delivered.commit,
        environ=context.runtime.environ,
        given=context.manifest,
    )


def prepare(context: Context) -> Path:
    """Write the files of the release (SBOMs, checksums, notes), so that they can be attested before they are out; their folder."""
    from release.assets import prepare as write
    from release.choosing import section_for
    from release.writing import Given

    place = workplace(context)
    release = context.delivered
    folder = context.work / FOLDER
    place.mean(release.name)
    write(place, section_for(place, release.name, None), folder, Given(deploys=dict(release.artifacts)))
    return folder
