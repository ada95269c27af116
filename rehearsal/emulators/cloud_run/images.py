"""Images: what a reference means, and where manifests and blobs come from."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rehearsal.emulators.registry.errors import RegistryError
from rehearsal.emulators.registry.state import Repositories

_REFERENCE = re.compile(
    r"(?P<host>[^/]+)/(?P<repository>[a-z0-9._/-]+)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


class ImageRefused(Exception):
    """The image cannot be had or used; `reason` is Cloud Run's word for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Reference:
    """`host/repository[:tag][@digest]`."""

    host: str
    repository: str
    reference: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Raises ImageRefused."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise ImageRefused("CONTAINER_MISSING", f"'{text}' is not an image reference.")
        return cls(match["host"], match["repository"], match["digest"] or match["tag"] or "latest")


@dataclass(frozen=True, kw_only=True)
class Image:
    """A pulled image: `config` is its OCI configuration, `layers` the digests of its layers, lowest first."""

    reference: Reference
    digest: str
    config: dict[str, Any]
    layers: tuple[str, ...]


class ImageSource(Protocol):
    """Where images are pulled from. Both raise ImageRefused."""

    async def manifest(self, image: Reference, reference: str) -> bytes:
        """The manifest by tag or digest."""

    async def blob(self, image: Reference, digest: str, into: Path) -> None:
        """Write a blob to a file."""


class WorldRegistry:
    """The world's own registry, read directly: faults of its HTTP side are meant for its users, not for us."""

    def __init__(self, repositories: Repositories, hosts: tuple[str, ...]) -> None:
        self._repositories = repositories
        self._hosts = hosts

    async def manifest(self, image: Reference, reference: str) -> bytes:
        """See ImageSource."""
        self._check_host(image)
        try:
            return self._repositories.manifest(image.repository, reference)[2]
        except RegistryError as error:
            raise _missing(image) from error

    async def blob(self, image: Reference, digest: str, into: Path) -> None:
        """See ImageSource."""
        try:
            path = self._repositories.blob(image.repository, digest)
        except RegistryError as error:
            raise _missing(image) from error
        await asyncio.to_thread(shutil.copyfile, path, into)

    def _check_host(self, image: Reference) -> None:
        if image.host not in self._hosts:
            raise ImageRefused("CONTAINER_MISSING", f"This world has no registry {image.host}.")


async def pull(source: ImageSource, text: str, scratch: Path) -> Image:
    """The image a reference means, for linux/amd64 when there are several. Raises ImageRefused."""
    reference = Reference.parse(text)
    digest, manifest = await _verified(source, reference, reference.reference)
    if "manifests" in manifest:
        digest, manifest = await _verified(source, reference, _amd64(manifest, text))
    try:
        config_digest = manifest["config"]["digest"]
        layers = tuple(layer["digest"] for layer in manifest["layers"])
    except (KeyError, TypeError) as error:
        raise ImageRefused("CONTAINER_MISSING", f"{text} has no usable manifest: {error}.") from error
    target = scratch / f"config-{config_digest.removeprefix('sha256:')}.json"
    await fetch(source, reference, config_digest, target)
    config = json.loads(target.read_bytes())
    target.unlink()
    return Image(reference=reference, digest=digest, config=config.get("config") or {}, layers=layers)


async def fetch(source: ImageSource, image: Reference, digest: str, into: Path) -> None:
    """A blob whose content is what its digest says. Raises ImageRefused."""
    await source.blob(image, digest, into)
    actual = await asyncio.to_thread(_file_digest, into)
    if actual != digest:
        await asyncio.to_thread(into.unlink)
        raise ImageRefused("CONTAINER_MISSING", f"The registry gave {actual} for blob {digest} of {image.repository}.")


async def _verified(source: ImageSource, image: Reference, reference: str) -> tuple[str, dict[str, Any]]:
    content = await source.manifest(image, reference)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if reference.startswith("sha256:") and reference != digest:
        raise ImageRefused("CONTAINER_MISSING", f"The registry gave manifest {digest} for {reference}.")
    manifest = json.loads(content)
    if not isinstance(manifest, dict):
        raise ImageRefused("CONTAINER_MISSING", f"Manifest {digest} is not a JSON object.")
    return digest, manifest


def _amd64(index: dict[str, Any], text: str) -> str:
    for entry in index["manifests"]:
        platform = entry.get("platform", {})
        if (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
            return str(entry["digest"])
    raise ImageRefused("CONTAINER_MISSING", f"{text} has no variant for linux/amd64.")


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _missing(image: Reference) -> ImageRefused:
    separator = "@" if image.reference.startswith("sha256:") else ":"
    text = f"{image.host}/{image.repository}{separator}{image.reference}"
    return ImageRefused("CONTAINER_MISSING", f"Image '{text}' not found.")
