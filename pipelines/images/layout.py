"""An image on disk in the OCI image layout (image-spec image-layout.md).

The base's layers need not be there: the layout "may be missing referenced blobs, in which case the missing blobs should be
fulfilled by an external blob store". Which store that is stands in the index, in the annotation `shipmate.base`.

A layout is read as something that code of the release wrote: every file is a plain file of the declared size and digest, and nothing
is taken that we do not understand.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from pipelines.errors import InputError
from pipelines.images import documents
from pipelines.images.documents import LARGEST_DOCUMENT, Malformed
from pipelines.images.model import INDEX, MANIFEST, Blob, BuiltImage, canonical
from pipelines.images.store import disk

BASE = "shipmate.base"
_INDEX, _MARK, _BLOBS = "index.json", "oci-layout", "blobs"


def write(image: BuiltImage, folder: Path, name: str = "latest") -> Path:
    """Write the image below `folder`, in the place of one that is there. Raises InputError, LocalError."""
    clear(folder)
    with disk("the image layout", folder):
        blobs = folder / _BLOBS / "sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        for blob in image.blobs:
            if blob.content is not None:
                _put(blob, blobs / blob.digest.removeprefix("sha256:"))
        (blobs / image.digest.removeprefix("sha256:")).write_bytes(image.manifest)
        annotations = {"org.opencontainers.image.ref.name": name, **({BASE: image.base} if image.base else {})}
        entry = {"mediaType": MANIFEST, "digest": image.digest, "size": len(image.manifest), "annotations": annotations}
        (folder / _INDEX).write_bytes(canonical({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}))
        (folder / _MARK).write_bytes(canonical({"imageLayoutVersion": "1.0.0"}))
    return folder


def clear(folder: Path) -> None:
    """An empty folder, made when new; an earlier layout in it is removed. Raises InputError for one that holds anything else."""
    with disk("the image layout", folder):
        folder.mkdir(parents=True, exist_ok=True)
        here = {path.name for path in folder.iterdir()}
        if here - {_INDEX, _MARK, _BLOBS, "ingest"}:
            raise InputError(
                f"{folder} is not empty, and holds no image layout",
                where=str(folder),
                why="what is in it would be lost, or end among the files of the image",
                next_step="name a new folder for the output",
            )
        for name in here:
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _put(blob: Blob, target: Path) -> None:
    if isinstance(blob.content, Path):
        shutil.copyfile(blob.content, target)
    else:
        target.write_bytes(b"".join(blob))


def read(folder: Path) -> BuiltImage:
    """The image of a layout, from us or another builder, checked whole.

    `base` is what the layout says of it: the push decides whether to trust it. Raises InputError when the folder holds no
    layout, or one that is damaged, lies, or holds something other than one image or packed site.
    """
    try:
        return _read(folder)
    except FileNotFoundError as error:
        _refuse(folder, f"no OCI image layout: {Path(error.filename).name} is missing", "nothing was built into it")
    except (Malformed, InputError, OSError) as error:
        _refuse(
            folder,
            f"no image layout that can be used: {error}",
            "what built it does not write layouts as we take them, or a file was changed afterwards",
        )


def _read(folder: Path) -> BuiltImage:
    mark = documents.parsed(_document(folder, _MARK), _MARK)
    if mark.get("imageLayoutVersion") != "1.0.0":
        raise Malformed(f"{_MARK} says version {mark.get('imageLayoutVersion')!r}")
    entry, annotations = documents.index(_document(folder, _INDEX))
    base = annotations.get(BASE, "")
    manifest = _document(folder, _path(entry))
    documents.require_digest(manifest, entry, "the manifest")
    parts = documents.manifest(manifest)
    config = _content(folder, parts.config)
    documents.require_digest(config, parts.config, "the configuration")
    if not parts.artifact:
        documents.image_config(config, len(parts.layers))
    layers = tuple(_found(folder, blob) for blob in parts.layers)
    missing = [blob.digest for blob in layers if blob.content is None]
    if missing and not base:
        raise Malformed(f"{', '.join(missing)} is missing, and no base image is named that has it")
    return BuiltImage(
        manifest=manifest,
        config=replace(parts.config, content=config),
        layers=layers,
        base=str(base) if missing else "",
    )


def _path(blob: Blob) -> str:
    return f"{_BLOBS}/sha256/{blob.digest.removeprefix('sha256:')}"


def _document(folder: Path, path: str) -> bytes:
    size = _plain(folder, path)
    if size > LARGEST_DOCUMENT:
        raise Malformed(f"{path} has {size} bytes, and {LARGEST_DOCUMENT} are the most")
    return (folder / path).read_bytes()


def _content(folder: Path, blob: Blob) -> bytes:
    return _document(folder, _path(blob))


def _found(folder: Path, blob: Blob) -> Blob:
    """The blob with its file, checked; without content when there is no file."""
    path = _path(blob)
    try:
        size = _plain(folder, path)
    except FileNotFoundError:
        return blob
    file = folder / path
    if size != blob.size:
        raise Malformed(f"damaged: {blob.digest} has {size} bytes, and its manifest says {blob.size}")
    with file.open("rb") as stream:
        digest = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    if digest != blob.digest:
        raise Malformed(f"damaged: what lies there as {blob.digest} is {digest}")
    return replace(blob, content=file)


def _plain(folder: Path, path: str) -> int:
    """The size of a file that is a file, in folders that are folders: no link leads elsewhere, and no pipe is waited for."""
    at = folder
    *above, name = path.split("/")
    for part in above:
        at = at / part
        if not stat.S_ISDIR(at.lstat().st_mode):
            raise Malformed(f"{part} is no folder")
    found = (at / name).lstat()
    if not stat.S_ISREG(found.st_mode):
        raise Malformed(f"{path} is no plain file")
    return found.st_size


def _refuse(folder: Path, what: str, why: str) -> NoReturn:
    raise InputError(
        f"{folder} is {what}",
        where=str(folder),
        why=why,
        next_step="build it again into an empty folder (`shipmate image build COMPONENT --output DIR`)",
    )
