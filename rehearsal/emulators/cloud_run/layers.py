"""Layers on disk: unpacked once per digest, put together once per image.

    <root>/layers/<hex>/   one layer's files; whiteouts are kept as they are named
    <root>/images/<hex>/   an image's files: hard links into its layers, so a second version of an app costs no copy

All revisions of an image share its files. What Cloud Run gives each instance, a file system of its own in memory, is
not emulated: an app that writes beside its own code would see that again at its next start.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tarfile
from pathlib import Path

from rehearsal import archives
from rehearsal.emulators.cloud_run import bytecode
from rehearsal.emulators.cloud_run.images import Image, ImageRefused, ImageSource, fetch

_LARGEST_LAYER = 2 * 1024**3  # bytes, unpacked
_MOST_FILES = 200_000
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


class LayerStore:
    """Files of images under one folder."""

    def __init__(self, root: Path) -> None:
        self._layers = root / "layers"
        self._images = root / "images"
        self._scratch = root / "scratch"
        self._busy: dict[str, asyncio.Lock] = {}

    @property
    def scratch(self) -> Path:
        """A folder for files on their way in."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch

    async def root_of(self, source: ImageSource, image: Image) -> Path:
        """The image's files, pulled and unpacked as far as they are not here yet. Raises ImageRefused."""
        target = self._images / image.digest.removeprefix("sha256:")
        async with self._lock(image.digest):
            if target.exists():
                return target
            layers = [await self._layer(source, image, digest) for digest in image.layers]
            await asyncio.to_thread(self._assemble, layers, target)
        return target

    async def _layer(self, source: ImageSource, image: Image, digest: str) -> Path:
        target = self._layers / digest.removeprefix("sha256:")
        async with self._lock(digest):
            if target.exists():
                return target
            blob = self.scratch / f"blob-{secrets.token_hex(8)}"
            await fetch(source, image.reference, digest, blob)
            try:
                await asyncio.to_thread(self._unpack, blob, target)
            finally:
                blob.unlink()
        return target

    def _unpack(self, blob: Path, target: Path) -> None:
        partial = self.scratch / f"layer-{secrets.token_hex(8)}"
        partial.mkdir()
        try:
            with tarfile.open(blob, "r:*") as tar:
                unpack(tar, partial)
        except (tarfile.TarError, OSError, EOFError) as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise ImageRefused("CONTAINER_MISSING", f"Layer {target.name} cannot be unpacked: {error}") from error
        bytecode.provide(partial, target.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(target)

    def _assemble(self, layers: list[Path], target: Path) -> None:
        partial = self.scratch / f"image-{secrets.token_hex(8)}"
        partial.mkdir()
        for layer in layers:
            merge(layer, partial)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(target)

    def _lock(self, key: str) -> asyncio.Lock:
        return self._busy.setdefault(key, asyncio.Lock())


def unpack(tar: tarfile.TarFile, into: Path) -> None:
    """Extract a layer. Members that point out of `into`, devices, and too much of anything are refused (tarfile errors).

    Refused are absolute links, `..` and devices; owners are ignored (rehearsal.archives).
    """
    files = total = 0
    for member in tar:
        files, total = files + 1, total + member.size
        if files > _MOST_FILES or total > _LARGEST_LAYER:
            raise tarfile.TarError(f"more than {_MOST_FILES} files or {_LARGEST_LAYER} bytes")
        archives.extract(tar, member, into)


def merge(layer: Path, root: Path) -> None:
    """Put a layer over what is in `root`: first what it takes away, then what it brings."""
    for folder, _, names in os.walk(layer):
        for name in names:
            if name.startswith(_WHITEOUT):
                _take_away(root / Path(folder).relative_to(layer), name)
    for folder, folders, names in os.walk(layer):
        target = root / Path(folder).relative_to(layer)
        _real_folder(target)
        for name in [*names, *(f for f in folders if (Path(folder) / f).is_symlink())]:
            if not name.startswith(_WHITEOUT):
                _bring(Path(folder) / name, target / name)


def _take_away(folder: Path, whiteout: str) -> None:
    if whiteout == _OPAQUE:
        for path in folder.iterdir() if folder.is_dir() else ():
            _remove(path)
    else:
        _remove(folder / whiteout.removeprefix(_WHITEOUT))


def _real_folder(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        target.unlink()
    target.mkdir(exist_ok=True)


def _bring(source: Path, target: Path) -> None:
    _remove(target)
    os.link(source, target, follow_symlinks=False)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
