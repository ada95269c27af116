"""The stand-in for the base image that production builds on.

A rehearsal cannot pull python:3.11-slim, and Cloud Run's emulator would not execute it: it runs the image's own layers
with the Python of this machine. So the world's registry holds this image in its place. It has the base's configuration
and one layer, which says what it is and holds nothing to run. Same input, same bytes, same digest.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import dataclass

from rehearsal.emulators.registry.blobs import digest_of
from rehearsal.emulators.registry.state import Repositories

MARK = "org.techmate.rehearsal.stand-in"
"""Label of an image that stands in for a base. Images assembled on it may keep it; the layer tells in any case."""

_NOTE = "This layer stands in for the operating system and Python of the base image. It holds nothing to run.\n"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class BaseImage:
    """The three parts of a one-layer image, and the digest it is known by."""

    manifest: bytes
    config: bytes
    layer: bytes

    @property
    def digest(self) -> str:
        """`sha256:…` of the manifest."""
        return digest_of(self.manifest)


def stand_in_base(python: str = "3.11") -> BaseImage:
    """The stand-in for a `python:<python>-slim` base, linux/amd64."""
    tar = _layer()
    layer = gzip.compress(tar, compresslevel=0, mtime=0)  # stored: the same bytes whichever zlib is here
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": _EPOCH,
            "config": {
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", f"PYTHON_VERSION={python}"],
                "Cmd": ["python3"],
                "Labels": {MARK: "true"},
            },
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar)]},
            "history": [{"created": _EPOCH, "created_by": "rehearsal stand-in base"}],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": _LAYER, "digest": digest_of(layer), "size": len(layer)}],
        }
    )
    return BaseImage(manifest=manifest, config=config, layer=layer)


def seed_base(repositories: Repositories, name: str, tag: str, image: BaseImage | None = None) -> str:
    """Put the stand-in base into a registry as `name:tag`; its digest."""
    image = image or stand_in_base()
    repository = repositories.writable(name)
    for content in (image.config, image.layer):
        repository.blobs.add(repositories.blobs.put(content))
    return repositories.put_manifest(name, tag, _MANIFEST, image.manifest)


def _layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in ("etc", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        note = tarfile.TarInfo("etc/rehearsal-stand-in")
        note.size, note.mode = len(_NOTE), 0o644
        tar.addfile(note, io.BytesIO(_NOTE.encode()))
    return buffer.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
