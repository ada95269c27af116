"""Wait for a platform's build, and bring its file here. Nothing of the app is checked out, and nothing of it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pipelines.mobile.building import Building
from pipelines.mobile.results import Result
from pipelines.mobile.steps.base import PlatformStep
from pipelines.mobile.steps.start import order, read_runtimes

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.context import Context
    from pipelines.providers.eas import Build

FILES = {"android": "app.aab", "ios": "app.ipa"}


@dataclass(frozen=True, kw_only=True)
class Fetch(PlatformStep):
    """Leaves the file below `Context.work`."""

    name: ClassVar[str] = "fetch"

    @property
    def says(self) -> str:
        return "wait for its build, and fetch it"

    def run(self, context: Context) -> str:
        """Raises BuildFailed with the part of its log that matters, RuntimeMismatch, ProviderUnavailable when it takes too long."""
        platform, number = self.platform, context.release.numbers[self.platform]
        context.results[platform] = Result(platform=platform, number=number)
        building = Building(
            eas=context.eas,
            http=context.http,
            clock=context.clock,
            say=context.runtime.say,
            noted=lambda _, build: _note(context, build),
        )
        outcome = building.wait(order(context, read_runtimes(context.work)), platform)
        if outcome.build is not None:
            context.results[platform] = replace(
                context.results[platform], build=outcome.build.url, runtime=outcome.build.runtime
            )
        build = outcome.require()
        file = file_of(context, platform)
        file.parent.mkdir(parents=True, exist_ok=True)
        digest = context.eas.download(build, file, context.http)
        context.results[platform] = replace(context.results[platform], sha256=digest)
        return f"build {number}, {file.stat().st_size / 1e6:.1f} MB"


def _note(context: Context, build: Build) -> None:
    if context.history is not None:
        context.history.note("in_progress", f"{build.platform} build {build.number}: {build.url}")


def file_of(context: Context, platform: Platform) -> Path:
    """Where the file of a platform is, once it is fetched."""
    return context.work / "files" / FILES[platform]
