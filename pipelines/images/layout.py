"""An image on disk in the OCI image layout (image-spec image-layout.md).

The base's layers are not written: the layout "may be missing referenced blobs, in which case the missing blobs should be
fulfilled by an external blob store". Which store that is stands in the index, in the annotation `ai.techmate.base`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pipelines.errors import InputError
from pipelines.images.model import INDEX, MANIFEST, Blob, BuiltImage, canonical, sha256
from pipelines.images.store import disk

BASE = "ai.techmate.base"
_REVISION = "org.opencontainers.image.revision"


def write(image: BuiltImage, folder: Path, name: str = "latest") -> Path:
    """Write the image below `folder`, which may exist. Raises LocalError."""
    with disk("the image layout", folder):
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        for blob in image.blobs:
            if blob.content is not None:
                _put(blob, blobs / blob.digest.removeprefix("sha256:"))
        (blobs / image.digest.removeprefix("sha256:")).write_bytes(image.manifest)
        annotations = {"org.opencontainers.image.ref.name": name, **({BASE: image.base} if image.base else {})}
        entry = {"mediaType": MANIFEST, "digest": image.digest, "size": len(image.manifest), "annotations": annotations}
        (folder / "index.json").write_bytes(canonical({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}))
        (folder / "oci-layout").write_bytes(canonical({"imageLayoutVersion": "1.0.0"}))
    return folder


def _put(blob: Blob, target: Path) -> None:
    if isinstance(blob.content, Path):
        shutil.copyfile(blob.content, target)
    else:
        target.write_bytes(b"".join(blob))


def read(folder: Path) -> BuiltImage:
    """The image of a layout, from us or another builder. Raises InputError when it is none, or was changed."""
    try:
        index = json.loads((folder / "index.json").read_text())
        entry = index["manifests"][0]
        manifest = _file(folder, entry["digest"]).read_bytes()
        raw = json.loads(manifest)
        blobs = [_found(folder, Blob.described(part)) for part in (raw["config"], *raw["layers"])]
    except (OSError, ValueError, LookupError) as error:
        raise InputError(
            f"{folder} is no OCI image layout: {error}",
            where=str(folder),
            next_step="write one with `shipmate image build COMPONENT --output DIR`",
        ) from error
    base = entry.get("annotations", {}).get(BASE, "")
    _require_whole(folder, entry["digest"], manifest, blobs, base)
    return BuiltImage(manifest=manifest, config=blobs[0], layers=tuple(blobs[1:]), base=base)


def _file(folder: Path, digest: str) -> Path:
    return folder / "blobs" / "sha256" / digest.removeprefix("sha256:")


def _found(folder: Path, blob: Blob) -> Blob:
    file = _file(folder, blob.digest)
    content = file if file.is_file() else None
    return Blob(media_type=blob.media_type, digest=blob.digest, size=blob.size, content=content)


def _require_whole(folder: Path, digest: str, manifest: bytes, blobs: list[Blob], base: str) -> None:
    wrong = [blob.digest for blob in blobs if blob.content and blob.content.stat().st_size != blob.size]  # type: ignore[union-attr]
    missing = [blob.digest for blob in blobs if blob.content is None and not base]
    if sha256(manifest) != digest:
        wrong.append(digest)
    if wrong or missing:
        raise InputError(
            f"the image layout is damaged: {', '.join([*wrong, *missing])}",
            where=str(folder),
            why="a file in it is missing, or not what its digest says",
            next_step="build it again into an empty folder",
        )
