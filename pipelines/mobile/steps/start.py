"""Begin the builds at EAS: the only step that has code of the app beside a secret, which is Expo's token and no other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.mobile import app
from pipelines.mobile.building import Building, Order
from pipelines.mobile.steps.base import Step

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.context import Context

RUNTIMES = "runtimes.json"
"""Below `Context.work`: platform -> the runtime version that was worked out from the commit."""


@dataclass(frozen=True, kw_only=True)
class Start(Step):
    """Both platforms at once; a build of this commit, profile, version and number that is there is used."""

    name: ClassVar[str] = "start"

    @property
    def says(self) -> str:
        return "begin the builds at EAS"

    def run(self, context: Context) -> str:
        """Raises the first platform's problem when none began, RefusedError for an app.json of another version, EasRefused."""
        release = context.release
        config = context.app / app.APP
        config.write_bytes(app.with_numbers(config.read_bytes(), release.numbers, release.version))
        eas = context.eas_in(context.app)
        runtimes = {each: eas.fingerprint(each, release.profile) for each in release.platforms}
        write_runtimes(context.work, runtimes)
        building = Building(eas=eas, http=context.http, clock=context.clock, say=context.runtime.say)
        outcomes = building.begin(order(context, runtimes))
        problems = [each.problem for each in outcomes.values() if each.problem is not None]
        for problem in problems:
            context.runtime.annotate("error", str(problem), title="Build")
        if len(problems) == len(outcomes):
            raise problems[0]
        built = [outcome.build for outcome in outcomes.values() if outcome.build is not None]
        return ", ".join(f"{build.platform} {build.number}: {build.url}" for build in built)


def order(context: Context, runtimes: dict[Platform, str]) -> Order:
    """What shall be built of the release."""
    release = context.release
    return Order(
        numbers=dict(release.numbers),
        version=release.version,
        commit=release.commit,
        profile=release.profile,
        runtimes=runtimes,
    )


def write_runtimes(work: Path, runtimes: dict[Platform, str]) -> None:
    work.mkdir(parents=True, exist_ok=True)
    (work / RUNTIMES).write_text(json.dumps(runtimes))


def read_runtimes(work: Path) -> dict[Platform, str]:
    """Raises InputError where the job that began the builds left nothing."""
    from pipelines.errors import InputError

    file = work / RUNTIMES
    if not file.is_file():
        raise InputError(
            "it is not known which runtime version the builds must have",
            where=str(file),
            why="the job that began them left nothing, or its artifact was not downloaded",
            next_step="re-run the job that starts the builds",
        )
    found: dict[Platform, str] = json.loads(file.read_text())
    return found
