"""The image that ours stands on: its manifest and configuration by digest. Its layers are not needed to build."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import ManifestError, ProviderError
from pipelines.images.model import Blob, Reference, sha256
from pipelines.images.store import Store

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
# A Docker layer is the same bytes as the OCI layer of the same form.
_AS_OCI = {
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
}

Fetch = Callable[[Reference, str, str], bytes]
"""(where, "manifests" or "blobs", digest) -> bytes."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """What is known of the base image: where its layers are, and what its containers start with."""

    reference: Reference
    layers: tuple[Blob, ...]
    config: Mapping[str, Any]

    @property
    def python(self) -> str:
        """Its Python as it says itself (`3.11`), in the variable that the official images set; empty when it does not."""
        env = (self.config.get("config") or {}).get("Env") or []
        message = dict(pair.partition("=")[::2] for pair in env).get("PYTHON_VERSION", "")
        found = re.match(r"3\.\d+", message)
        return found[0] if found else ""


def fetch_base(pinned: str, fetch: Fetch, store: Store, *, architecture: str = "amd64") -> Base:
    """The base for linux/<architecture>. Documents are kept by digest, so a second build asks nobody.

    Raises ManifestError when the reference is not pinned, ProviderError when what came is not what the digest says.
    """
    reference = Reference.parse(pinned)
    if not reference.digest:
        raise ManifestError(
            f"the base image {pinned!r} is not pinned",
            where="image/base",
            why="a tag can be moved: the same commit would give another image tomorrow",
            next_step=f"write {reference.name}@sha256:… (`docker buildx imagetools inspect {reference.name}` shows it)",
        )

    def document(kind: str, digest: str) -> dict[str, Any]:
        content = store.read(f"base/{digest.replace(':', '-')}")
        if content is None or sha256(content) != digest:
            content = fetch(reference, kind, digest)
            if sha256(content) != digest:
                raise ProviderError(
                    f"what came is not {digest}",
                    where=f"{reference.repository} {kind}",
                    why="a proxy or cache in between answers with something else",
                    next_step="try again; if it stays, ask the operator of the registry",
                )
            store.write(f"base/{digest.replace(':', '-')}", content)
        loaded: dict[str, Any] = json.loads(content)
        return loaded

    manifest = document("manifests", reference.digest)
    if manifest.get("mediaType") in _INDEXES or "manifests" in manifest:
        manifest = document("manifests", _platform(manifest, architecture, str(reference)))
    layers = tuple(
        Blob(media_type=_AS_OCI.get(blob.media_type, blob.media_type), digest=blob.digest, size=blob.size)
        for blob in map(Blob.described, manifest["layers"])
    )
    return Base(reference=reference, layers=layers, config=document("blobs", manifest["config"]["digest"]))


def _platform(index: Mapping[str, Any], architecture: str, where: str) -> str:
    for entry in index["manifests"]:
        platform = entry.get("platform", {})
        if (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
            return str(entry["digest"])
    raise ManifestError(
        f"the base image has no variant for linux/{architecture}",
        where=where,
        next_step="choose another base image in shipmate.yml",
    )
