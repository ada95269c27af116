"""Source maps as Sentry takes them: chunks that are known by their SHA-1, and bundles that are put together of them later.

As its own uploader asks (no description of it is published). What is in a bundle is read when it is put together: an archive that
is none, or names files that it does not hold, ends as an error.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rehearsal.emulators.sentry.errors import WrongUpload
from rehearsal.emulators.sentry.state import Assembly, Bundle, BundledFile, Organization

PER_REQUEST = 64
REQUEST = 32 * 1024 * 1024
MAGIC = b"SYSB"
_SHA1 = re.compile(r"[0-9a-f]{40}")
_TYPES = ("source", "minified_source", "source_map", "indexed_ram_bundle")


def options(organization: Organization, address: str) -> dict[str, Any]:
    """What an uploader must keep to."""
    return {
        "url": f"{address}/api/0/organizations/{organization.slug}/chunk-upload/",
        "chunkSize": organization.chunk_size,
        "chunksPerRequest": PER_REQUEST,
        "maxFileSize": 2**31,
        "maxRequestSize": REQUEST,
        "concurrency": 8,
        "hashAlgorithm": "sha1",
        "compression": ["gzip"],
        "accept": ["debug_files", "release_files", "sources", "artifact_bundles", "artifact_bundles_v2"],
    }


def take(organization: Organization, chunks: list[tuple[str, bytes]]) -> None:
    """Keep chunks, each under the name that it came with. Raises WrongUpload."""
    if any(len(content) > organization.chunk_size for _, content in chunks):
        raise WrongUpload("Chunk size too large")
    if sum(len(content) for _, content in chunks) > REQUEST:
        raise WrongUpload("Request too large")
    if len(chunks) > PER_REQUEST:
        raise WrongUpload("Too many chunks")
    for name, content in chunks:
        if sha1(content) != name:
            raise WrongUpload("Checksum mismatch")
        organization.chunks[name] = content


def assemble(organization: Organization, body: Any) -> dict[str, Any]:
    """How far a bundle is. The first call that finds every chunk begins it, and the second after that finds it done.

    Raises WrongUpload.
    """
    checksum, chunks, projects = _asked(organization, body)
    missing = [name for name in dict.fromkeys(chunks) if name not in organization.chunks]
    if missing:
        return {"state": "not_found", "missingChunks": missing}
    held = organization.assemblies.get(checksum)
    if held is None and not chunks:
        return {"state": "not_found", "missingChunks": []}
    if held is None:
        organization.assemblies[checksum] = Assembly(chunks=chunks, projects=projects)
        return {"state": "created", "missingChunks": []}
    if held.state == "created":
        held.state = "assembling"
    elif held.state == "assembling":
        _put_together(organization, checksum, held)
    return {"state": held.state, "detail": held.detail or None, "missingChunks": []}


def listed(organization: Organization, project: str, query: str) -> list[dict[str, Any]]:
    """The bundles of a project, the newest first; with a query those of that id, or that hold a file with that debug id."""
    found = [
        bundle
        for bundle in organization.bundles.values()
        if project in bundle.projects
        and (not query or query.lower() in {bundle.id, *(file.debug_id for file in bundle.files)})
    ]
    return [_view(bundle) for bundle in sorted(found, key=lambda bundle: -bundle.received)]


def sha1(content: bytes) -> str:
    """What a chunk and a bundle are called."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _asked(organization: Organization, body: Any) -> tuple[str, list[str], list[str]]:
    if not isinstance(body, dict) or body.keys() - {"checksum", "chunks", "projects", "version", "dist"}:
        raise WrongUpload("Invalid json body")
    checksum, chunks, projects = (body.get(key) for key in ("checksum", "chunks", "projects"))
    if not isinstance(checksum, str) or not _SHA1.fullmatch(checksum):
        raise WrongUpload("The checksum field is required and must be a 40-character hexadecimal string.")
    if not isinstance(chunks, list) or not all(isinstance(one, str) and _SHA1.fullmatch(one) for one in chunks):
        raise WrongUpload(
            "The chunks field is required and must be provided as an array of 40-character hexadecimal strings."
        )
    if not isinstance(projects, list) or not all(isinstance(one, str) for one in projects):
        raise WrongUpload("The projects field is required and must be provided as an array of strings.")
    if not projects:
        raise WrongUpload("You need to specify at least one project")
    if not set(projects) <= organization.projects.keys():
        raise WrongUpload("One or more projects are invalid")
    return checksum, chunks, projects


def _put_together(organization: Organization, checksum: str, held: Assembly) -> None:
    content = b"".join(organization.chunks[name] for name in held.chunks)
    try:
        if sha1(content) != checksum:
            raise WrongUpload("Reported checksum mismatch")
        identity, files = _opened(content)
        organization.bundles[checksum] = Bundle(
            id=identity, received=organization.clock(), projects=held.projects, files=files
        )
    except WrongUpload as error:
        held.state, held.detail = "error", error.detail
    else:
        held.state = "ok"


def _view(bundle: Bundle) -> dict[str, Any]:
    moment = datetime.fromtimestamp(bundle.received, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "bundleId": bundle.id,
        "associations": [{"release": None, "dist": None}],
        "date": moment,
        "dateModified": moment,
        "fileCount": len(bundle.files),
    }


def _opened(content: bytes) -> tuple[str, list[BundledFile]]:
    """The id of an archive, and its files. Raises WrongUpload."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            if not content.startswith(MAGIC):
                raise WrongUpload("invalid magic")
            named = manifest["files"].items()
            return str(UUID(manifest["debug_id"])), [_file(about, archive.read(name).decode()) for name, about in named]
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, TypeError) as error:
        raise WrongUpload(f"Failed to open the bundle: {error}") from error


def _file(about: dict[str, Any], text: str) -> BundledFile:
    if about["type"] not in _TYPES:
        raise WrongUpload(f"invalid type {about['type']}")
    given = {name.lower(): value for name, value in about.get("headers", {}).items()}.get("debug-id")
    return BundledFile(type=about["type"], url=about["url"], debug_id=str(UUID(given)) if given else "", text=text)
