"""What an image is made of: blobs named by their sha256, a manifest that lists them, and references to where they are.

Formats: github.com/opencontainers/image-spec (manifest.md, config.md, descriptor.md).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import InputError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
# Not gzip: two zlib versions compress the same tar to different bytes, and the digest would depend on the machine.
LAYER = "application/vnd.oci.image.layer.v1.tar"
FILES = "application/vnd.shipmate.files.v1"
"""Type of the artifact that holds a folder of files (files.py)."""
EPOCH = "1970-01-01T00:00:00Z"

_CHUNK = 1 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REFERENCE = re.compile(
    r"(?P<path>[^:@\s]+(?::\d+/[^:@\s]+)?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def sha256(content: bytes) -> str:
    """`sha256:…` of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON that is the same bytes everywhere: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, kw_only=True)
class Reference:
    """`host/path[:tag][@digest]`, taken apart. Docker Hub's short names are completed."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Raises InputError."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise InputError(
                f"{text!r} is no image reference",
                why="it has the form host/path[:tag][@sha256:…]",
                next_step="correct it in shipmate.yml or on the command line",
            )
        first, _, rest = match["path"].partition("/")
        known_host = rest and ("." in first or ":" in first or first == "localhost")
        host, path = (first, rest) if known_host else ("docker.io", match["path"])
        if host == "docker.io" and "/" not in path:
            path = f"library/{path}"
        return cls(host=host, path=path, tag=match["tag"] or "", digest=match["digest"] or "")

    @property
    def repository(self) -> str:
        """`host/path`."""
        return f"{self.host}/{self.path}"

    @property
    def name(self) -> str:
        """`host/path[:tag]`, without the digest."""
        return self.repository + (f":{self.tag}" if self.tag else "")

    @property
    def target(self) -> str:
        """What the registry is asked for: the digest, else the tag, else `latest`."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        return self.name + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes named by their digest. `content` is None when they are only in the registry of the base image."""

    media_type: str
    digest: str
    size: int
    content: bytes | Path | None = None

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Blob:
        """A blob held in memory."""
        return cls(media_type=media_type, digest=sha256(content), size=len(content), content=content)

    @classmethod
    def described(cls, raw: dict[str, Any]) -> Blob:
        """From a descriptor; the content is elsewhere. Raises InputError."""
        if not _DIGEST.fullmatch(str(raw.get("digest"))):
            raise InputError(
                f"{raw.get('digest')!r} is no sha256 digest",
                where="image manifest",
                next_step="push it again: what made it is broken",
            )
        return cls(media_type=str(raw["mediaType"]), digest=str(raw["digest"]), size=int(raw["size"]))

    def descriptor(self) -> dict[str, Any]:
        """As a manifest lists it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}

    def __iter__(self) -> Iterator[bytes]:
        """The bytes in chunks, from the start each time: a retry can send them again."""
        if isinstance(self.content, bytes):
            yield self.content
        elif self.content is not None:
            with self.content.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk

    def __len__(self) -> int:
        return self.size


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image, or a folder of files packed like one, ready to be pushed or written down."""

    manifest: bytes
    config: Blob
    layers: tuple[Blob, ...]
    base: str = ""
    """Where the layers without content can be read: `host/path@sha256:…`."""
    notes: tuple[str, ...] = ()
    """What the one who builds should know (uncommitted changes are not in it, ...)."""

    @property
    def digest(self) -> str:
        """What the image is known by everywhere."""
        return sha256(self.manifest)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Config and layers."""
        return (self.config, *self.layers)
