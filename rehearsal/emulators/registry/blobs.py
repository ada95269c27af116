"""Content on disk, by digest, and uploads under way."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.emulators.registry.errors import RegistryError, digest_invalid

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(content: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def checked_digest(text: str) -> str:
    """`text` when it is a sha256 digest. Raises RegistryError DIGEST_INVALID."""
    if not _DIGEST.fullmatch(text):
        raise RegistryError(400, "DIGEST_INVALID", f"'{text}' is not a sha256 digest")
    return text


@dataclass(kw_only=True)
class Upload:
    """A blob on its way in; `size` bytes have arrived."""

    repository: str
    path: Path
    size: int = 0
    hash: Any = field(default_factory=hashlib.sha256)

    async def append(self, chunks: AsyncIterator[bytes]) -> None:
        """Add what arrives. Chunks are small, so they are written from the loop."""
        with self.path.open("ab") as file:
            async for chunk in chunks:
                file.write(chunk)
                self.hash.update(chunk)
                self.size += len(chunk)

    @property
    def digest(self) -> str:
        """Of what has arrived."""
        return f"sha256:{self.hash.hexdigest()}"


class Blobs:
    """`<root>/blobs/<hex>` for finished content, `<root>/uploads/<id>` for the rest."""

    def __init__(self, root: Path) -> None:
        self._finished = root / "blobs"
        self._pending = root / "uploads"
        self._uploads: dict[str, Upload] = {}
        self._finished.mkdir(parents=True, exist_ok=True)
        self._pending.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Where the content of `digest` is, or would be."""
        return self._finished / digest.removeprefix("sha256:")

    def put(self, content: bytes) -> str:
        """Keep bytes; their digest."""
        digest = digest_of(content)
        target = self.path(digest)
        if not target.exists():
            partial = self._pending / secrets.token_hex(8)
            partial.write_bytes(content)
            partial.replace(target)
        return digest

    def begin(self, repository: str) -> str:
        """Open an upload; its id."""
        upload_id = secrets.token_hex(16)
        path = self._pending / upload_id
        path.touch()
        self._uploads[upload_id] = Upload(repository=repository, path=path)
        return upload_id

    def upload(self, repository: str, upload_id: str) -> Upload:
        """Raises RegistryError BLOB_UPLOAD_UNKNOWN."""
        upload = self._uploads.get(upload_id)
        if upload is None or upload.repository != repository:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", f"no upload {upload_id} is under way in {repository}")
        return upload

    def finish(self, upload_id: str, digest: str) -> None:
        """Turn an upload into content. Raises RegistryError DIGEST_INVALID, and forgets the upload then."""
        upload = self._uploads.pop(upload_id)
        if upload.digest != digest:
            upload.path.unlink()
            raise digest_invalid(digest, upload.digest)
        upload.path.replace(self.path(digest))

    def cancel(self, upload_id: str) -> None:
        """Forget an upload."""
        self._uploads.pop(upload_id).path.unlink()

    def clear(self) -> None:
        """Forget all content and uploads."""
        self._uploads.clear()
        for folder in (self._finished, self._pending):
            for path in folder.iterdir():
                path.unlink()
