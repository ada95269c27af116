"""Stand-ins for base images: a base's configuration, and one layer that says what it is and holds nothing to run.

Same input, same bytes, same digest. Needs nothing but Python: the stand-in for docker runs where no packages are.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from dataclasses import dataclass
from typing import Literal

MARK = "shipmate.rehearsal.stand-in"
"""Label of an image that stands in for a base. Images assembled on it may keep it; the layer tells in any case."""
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python of this machine: images run with it, so wheels for a stand-in are chosen for it."""

_NOTE = "This layer stands in for the operating system and {name} of the base image. It holds nothing to run.\n"
_EPOCH = "1970-01-01T00:00:00Z"
_NAMES = {"python": "Python", "node": "Node"}
_COMMANDS = {"python": "python3", "node": "node"}


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


def stand_in_base(version: str = PYTHON, program: Literal["python", "node"] = "python") -> BaseImage:
    """The stand-in for a `<program>:<version>-slim` base, linux/amd64."""
    tar = _layer(_NOTE.format(name=_NAMES[program]))
    layer = stored(tar)
    env = ["PATH=/usr/local/bin:/usr/bin:/bin", *(["LANG=C.UTF-8"] if program == "python" else [])]
    env += [f"{program.upper()}_VERSION={version}"] if version else []
    config = document(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": _EPOCH,
            "config": {"Env": env, "Cmd": [_COMMANDS[program]], "Labels": {MARK: "true"}},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar)]},
            "history": [{"created": _EPOCH, "created_by": "rehearsal stand-in base"}],
        }
    )
    manifest = document(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": digest_of(layer), "size": len(layer)}],
        }
    )
    return BaseImage(manifest=manifest, config=config, layer=layer)


def digest_of(content: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def stored(tar: bytes) -> bytes:
    """A gzipped layer, not compressed: the same bytes whichever zlib is here."""
    return gzip.compress(tar, compresslevel=0, mtime=0)


def document(value: object) -> bytes:
    """JSON that is the same bytes everywhere."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _layer(text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in ("etc", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        note = tarfile.TarInfo("etc/rehearsal-stand-in")
        note.size, note.mode = len(text), 0o644
        tar.addfile(note, io.BytesIO(text.encode()))
    return buffer.getvalue()
