"""Repositories: which blobs they hold, which manifests, which tags."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.emulators.registry.blobs import Blobs, checked_digest, digest_of
from rehearsal.emulators.registry.errors import RegistryError, blob_unknown, digest_invalid, manifest_unknown

_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
_IMAGES = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
_LARGEST_MANIFEST = 4 * 1024 * 1024


@dataclass(kw_only=True)
class Repository:
    """`manifests`: digest -> media type; `tags`: tag -> digest; `blobs`: digests that may be read here."""

    manifests: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)


class Repositories:
    """Every repository of the registry. Content lies under `root`; what points at it is in memory.

    `immutable`: Artifact Registry repositories (`project/repository`, the first two parts of a name) whose tags may
    never move or be deleted.
    """

    def __init__(self, root: Path, *, immutable: frozenset[str] = frozenset()) -> None:
        self.blobs = Blobs(root)
        self._immutable = immutable
        self._repositories: dict[str, Repository] = {}

    def names(self) -> list[str]:
        """In lexical order, as the catalog lists them."""
        return sorted(self._repositories)

    def get(self, name: str) -> Repository:
        """Raises RegistryError NAME_UNKNOWN."""
        if name not in self._repositories:
            raise RegistryError(404, "NAME_UNKNOWN", f"repository {name} is unknown")
        return self._repositories[name]

    def writable(self, name: str) -> Repository:
        """The repository, created when new. Raises RegistryError NAME_INVALID."""
        if not _NAME.fullmatch(name) or len(name) > 255:
            raise RegistryError(400, "NAME_INVALID", f"'{name}' is not a repository name")
        return self._repositories.setdefault(name, Repository())

    def blob(self, name: str, digest: str) -> Path:
        """The file of a blob that belongs to the repository. Raises RegistryError."""
        if checked_digest(digest) not in self.get(name).blobs:
            raise blob_unknown(digest)
        return self.blobs.path(digest)

    def mount(self, name: str, digest: str, source: str) -> bool:
        """Make a blob of `source` readable in `name` too; False when there is no such blob."""
        origin = self._repositories.get(source)
        if origin is None or checked_digest(digest) not in origin.blobs:
            return False
        self.writable(name).blobs.add(digest)
        return True

    def delete_blob(self, name: str, digest: str) -> None:
        """Unlink a blob from the repository; its bytes stay for the others."""
        self.blob(name, digest)
        self.get(name).blobs.discard(digest)

    def manifest(self, name: str, reference: str) -> tuple[str, str, bytes]:
        """Digest, media type and bytes by tag or digest. Raises RegistryError."""
        repository = self.get(name)
        digest = repository.tags.get(reference, reference)
        media_type = repository.manifests.get(digest)
        if media_type is None:
            raise manifest_unknown(reference)
        return digest, media_type, self.blobs.path(digest).read_bytes()

    def put_manifest(self, name: str, reference: str, media_type: str, content: bytes) -> str:
        """Keep a manifest whose parts are all here; its digest. Raises RegistryError."""
        repository = self.writable(name)
        if len(content) > _LARGEST_MANIFEST:
            raise RegistryError(413, "SIZE_INVALID", f"a manifest may have {_LARGEST_MANIFEST} bytes")
        digest = digest_of(content)
        self._check_reference(name, repository, reference, digest)
        self._check_parts(repository, media_type, content)
        self.blobs.put(content)
        repository.manifests[digest] = media_type
        if not reference.startswith("sha256:"):
            repository.tags[reference] = digest
        return digest

    def delete_manifest(self, name: str, reference: str) -> None:
        """Remove a tag, or a manifest with all its tags. Raises RegistryError."""
        repository = self.get(name)
        if reference in repository.tags:
            self._refuse_if_immutable(name, reference)
            del repository.tags[reference]
            return
        if reference not in repository.manifests:
            raise manifest_unknown(reference)
        tags = [tag for tag, digest in repository.tags.items() if digest == reference]
        for tag in tags:
            self._refuse_if_immutable(name, tag)
        del repository.manifests[reference]
        for tag in tags:
            del repository.tags[tag]

    def clear(self) -> None:
        """Forget everything."""
        self._repositories.clear()
        self.blobs.clear()

    def save(self) -> dict[str, Any]:
        """What points at what; the content itself stays in `root`."""
        return {
            name: {"manifests": entry.manifests, "tags": entry.tags, "blobs": sorted(entry.blobs)}
            for name, entry in self._repositories.items()
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the repositories. Raises FileNotFoundError when content they point at is not under `root`."""
        self._repositories = {
            name: Repository(manifests=entry["manifests"], tags=entry["tags"], blobs=set(entry["blobs"]))
            for name, entry in saved.items()
        }
        for name, entry in self._repositories.items():
            for digest in (*entry.blobs, *entry.manifests):
                if not self.blobs.path(digest).exists():
                    raise FileNotFoundError(f"the saved registry has {digest} in {name}, but its content is missing")

    def _check_reference(self, name: str, repository: Repository, reference: str, digest: str) -> None:
        if reference.startswith("sha256:"):
            if reference != digest:
                raise digest_invalid(reference, digest)
            return
        if not _TAG.fullmatch(reference):
            raise RegistryError(400, "TAG_INVALID", f"'{reference}' is not a tag")
        if repository.tags.get(reference, digest) != digest:
            self._refuse_if_immutable(name, reference)

    def _refuse_if_immutable(self, name: str, tag: str) -> None:
        # Artifact Registry's own status for this is not in any contract; a 400 is what its clients have reported.
        if "/".join(name.split("/")[:2]) in self._immutable:
            message = f"the repository has enabled tag immutability: {tag} cannot move or be deleted"
            raise RegistryError(400, "MANIFEST_INVALID", message)

    def _check_parts(self, repository: Repository, media_type: str, content: bytes) -> None:
        try:
            manifest = json.loads(content)
            declared = manifest.get("mediaType", media_type)
            if declared != media_type or media_type not in _INDEXES | _IMAGES:
                raise ValueError(f"media type {media_type} (declared: {declared}) is not an image or an index")
            if media_type in _INDEXES:
                missing = [m["digest"] for m in manifest["manifests"] if m["digest"] not in repository.manifests]
            else:
                parts = [manifest["config"], *manifest["layers"]]
                missing = [part["digest"] for part in parts if part["digest"] not in repository.blobs]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RegistryError(400, "MANIFEST_INVALID", f"the manifest cannot be used: {error}") from error
        if missing:
            raise RegistryError(400, "MANIFEST_BLOB_UNKNOWN", f"upload these first: {', '.join(missing)}")
