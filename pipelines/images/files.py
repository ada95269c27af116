"""A folder of files (a web build) kept like an image: one layer, known by the digest of its manifest.

The digest depends on names, contents and the execute bit only. Format: image-spec manifest.md, "Guidelines for Artifact Usage".
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import InputError
from pipelines.images.archive import extract_all
from pipelines.images.layer import folder as folder_files
from pipelines.images.layer import tar
from pipelines.images.model import EMPTY, FILES, LAYER, MANIFEST, Blob, BuiltImage, canonical
from pipelines.images.store import disk

if TYPE_CHECKING:
    from pipelines.images.registry import Registry

CONFIG_FILE = "config.json"
"""Written for each environment at deployment, so it is no part of what was built."""


def pack(folder: Path) -> BuiltImage:
    """The files of a build, without its config.json. Raises InputError when there are none, or a link among them."""
    files = list(folder_files(folder, skip=frozenset({CONFIG_FILE}))) if folder.is_dir() else []
    links = [file.path for file in files if file.link]
    if links:
        raise InputError(
            f"{links[0]} is a symbolic link",
            where=str(folder),
            why="a site is kept as plain files: where a link leads is not part of it",
            next_step="have the build copy the file instead",
        )
    if not files:
        raise InputError(
            f"{folder} holds no files",
            where=str(folder),
            why="the build did not run, or writes somewhere else than `build/output` says",
            next_step="run the component's build commands first",
        )
    layer = Blob.of(b"".join(tar(files)), LAYER)
    config = Blob.of(b"{}", EMPTY)
    manifest = canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": FILES,
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
        }
    )
    return BuiltImage(manifest=manifest, config=config, layers=(layer,))


def unpack(layer: bytes, folder: Path) -> None:
    """Write the files of a packed folder below `folder`, where nothing can land outside (see `archive`).

    Raises InputError when the layer is no archive of plain files, LocalError.
    """
    with disk("the build", folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            # Not compressed: nothing can grow while it is read.
            with tarfile.open(fileobj=io.BytesIO(layer), mode="r:") as archive:
                extract_all(archive, folder)
        except tarfile.TarError as error:
            raise InputError(
                f"the packed files cannot be unpacked: {error}",
                where=str(folder),
                why="they are no site's build, or were not packed by `shipmate`",
                next_step="build the component again, and pass on the reference that comes of it",
            ) from error


def fetch(registry: Registry, reference: str, folder: Path) -> None:
    """Get packed files from a registry into a folder, checked against their digest. Raises what `Registry.layer` raises."""
    unpack(registry.layer(reference), folder)
