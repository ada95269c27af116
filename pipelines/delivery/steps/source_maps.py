"""Bring the source maps of a site to its error tracker, before anybody can report an error of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import Facts, PlannedStep, Step
from pipelines.delivery.steps.stage import pull
from pipelines.errors import InputError, ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.context import Context


@dataclass(frozen=True, kw_only=True)
class UploadSourceMaps(PlannedStep):
    """See the module. Without them traces are hard to read, and nothing else: what goes wrong is a warning, and stops no delivery."""

    name: ClassVar[str] = "source-maps"
    release: str
    digest: str
    tracker: str
    """organization/project at an address."""

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        return [
            cls(component=each.component, release=each.release, digest=each.digest, tracker=each.tracker)
            for each in facts
            if each.tracker
        ]

    @property
    def says(self) -> str:
        return f"upload source maps to {self.tracker}"

    def run(self, context: Context) -> str:
        try:
            return _upload(context, self.component)
        except ShipmateError as error:
            message = (
                f"the source maps of {self.component} are not at {self.tracker}: traces of it cannot be read. {error}"
            )
            context.runtime.annotate("warning", message, title="Source maps")
            return f"its source maps are not at {self.tracker} ({error.what})"


def _upload(context: Context, component: str) -> str:
    from pipelines.providers.sentry_source_maps import SentrySourceMaps
    from pipelines.site_builds import debug_ids

    tracker = context.manifest.components[component].error_tracker
    if tracker is None:
        raise InputError(
            f"{component} has no error tracker",
            where="shipmate.yml",
            next_step=f"name one: components/{component}/error_tracker",
        )
    section = f"components/{component}/error_tracker"
    sentry = SentrySourceMaps(tracker, context.http, context.credentials.sentry_token, section=section)
    sentry.require_token()
    with tempfile.TemporaryDirectory(prefix="shipmate-") as folder:
        files = pull(context, component, Path(folder))
        found = debug_ids.mapped(files)
        if not found:
            raise InputError(
                f"no script of {component} has a source map and a debug id",
                where=context.delivered.artifacts[component],
                why="it was built before shipmate.yml named the error tracker, its build writes no source maps (`*.js.map`), or its "
                "pages pin what their scripts are (`integrity`)",
                next_step="have the build write source maps, without naming them in the scripts; then deliver a commit that is built anew",
            )
        done = sentry.upload(files, found)
    count = f"{len(found)} source map{'' if len(found) == 1 else 's'}"
    return f"{count} {'are' if len(found) != 1 else 'is'} at Sentry" + ("" if done else ", which still works on them")
