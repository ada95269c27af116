"""Images and packed files: made the same on every machine, moved and named by digest only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.images.model import BuiltImage

if TYPE_CHECKING:
    from pipelines.images.registry import Registry
    from pipelines.manifest.model import Component

__all__ = ["BuiltImage", "build"]


def build(
    component: Component, root: Path, commit: str, *, registry: Registry, source: str = "", output: Path | None = None
) -> BuiltImage:
    """The image of a component at a commit of the repository at `root`; written to `output` as an OCI layout when given.

    `source` is the repository's public address (a label). The registry is asked for the base's manifest and configuration only.
    Raises ManifestError, InputError, LocalError, CredentialsError, ProviderError, ProviderUnavailable.
    """
    from pipelines.images import assemble, buildx, layout

    if component.image is not None and component.image.builder == "buildx":
        return buildx.build(component.image, root, {"org.opencontainers.image.revision": commit}, output)
    image = assemble.assemble(
        component,
        root,
        commit,
        fetch=registry.fetch,
        store=registry.store,
        source=source,
        bases=registry.http.overlay.images,
    )
    if output is not None:
        layout.write(image, output, name=image.digest.removeprefix("sha256:")[:12])
    return image
