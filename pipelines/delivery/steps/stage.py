"""Deploy a candidate: the release beside what is live, without traffic."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import ArtifactStep

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Artifact, Live


@dataclass(frozen=True, kw_only=True)
class Stage(ArtifactStep):
    """See the module."""

    name: ClassVar[str] = "stage"
    observes: ClassVar[bool] = True

    @property
    def says(self) -> str:
        return f"deploy {self.release} ({self.digest[:19]}) without traffic"

    def done(self, live: Live) -> str:
        staged = live.of(self.release, self.digest)
        return f"{staged.key} is there already" if staged else ""

    def run(self, context: Context) -> str:
        identity = context.identity(self.component)
        with tempfile.TemporaryDirectory(prefix="shipmate-") as folder:
            artifact = _at_hand(context, self.component, Path(folder))
            deployed = context.host(self.component).stage(artifact, identity)
        return f"{deployed.key} is ready at {deployed.url}"


def _at_hand(context: Context, component: str, folder: Path) -> Artifact:
    """The artifact as the provider takes it: an image by reference, a site as the folder it was kept from."""
    artifact = context.delivered.artifact(component)
    if context.manifest.components[component].build is None:
        return artifact
    return replace(artifact, reference=str(pull(context, component, folder)))


def pull(context: Context, component: str, folder: Path) -> Path:
    """The files of a site's build, below `folder`. Raises what images.pull_files raises."""
    from pipelines import images

    files = folder / "files"
    reference = context.delivered.artifact(component).reference
    images.pull_files(reference, files, http=context.http, credentials=context.credentials)
    return files
