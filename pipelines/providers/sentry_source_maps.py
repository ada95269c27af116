"""Source maps of a build at Sentry: an artifact bundle, sent in chunks that are known by their SHA-1, found by debug ids.

The calls are those of Sentry's own uploader, and in no published description (docs.sentry.io "Artifact Bundles"). Sentry names an
address to send chunks to; they go to the one of shipmate.yml all the same: the token is sent to no host that an answer names.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.clock import Clock
from pipelines.errors import ProviderError
from pipelines.faults import once
from pipelines.polling import Polling
from pipelines.providers.sentry_api import PUBLISHING, SentryApi

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.manifest.error_tracker import Project
    from pipelines.site_builds.debug_ids import Mapped

POLLING = Polling(interval=0.5, growth=1.5, longest=5.0)
LIMIT = 120.0
"""Seconds that Sentry may take to get a bundle and to put it together, which it goes on with by itself after that."""
ACCEPTED = ("artifact_bundles", "artifact_bundles_v2")
"""What a Sentry says that takes bundles with debug ids; one that says neither is too old."""
_OPTIONS: dict[str, type] = {
    "chunkSize": int,
    "chunksPerRequest": int,
    "maxRequestSize": int,
    "hashAlgorithm": str,
    "accept": list,
}
MAGIC = b"SYSB\x02\x00\x00\x00"
"""Stands before the archive: what the file is, and its version."""
MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of every file in it, so that the same build is the same bundle."""


class SentrySourceMaps:
    """The bundles of one project, for a token with the scope org:ci or project:releases."""

    def __init__(self, project: Project, http: Http, token: str, *, section: str) -> None:
        self._project = project
        self._api = SentryApi(project, http, token, section=section, rights=PUBLISHING)

    def require_token(self) -> None:
        """Raises CredentialsError without one: what is uploaded need not be fetched then."""
        self._api.require_token()

    def require_upload_permission(self) -> None:
        """That maps would be taken, asked by looking for a bundle that nobody has. Raises CredentialsError, ProviderError,
        ProviderUnavailable."""
        self._require_usable(self._api.call("GET", "chunk-upload/"))
        self._assemble({"checksum": "0" * 40, "chunks": [], "projects": [self._project.project]})

    def upload(self, folder: Path, files: Sequence[Mapped]) -> bool:
        """Bring scripts and their maps there, sending what Sentry lacks of them; whether Sentry has put them together by now.

        Killed anywhere it is finished by another call. Raises CredentialsError, ProviderError, ProviderUnavailable.
        """
        options = self._api.call("GET", "chunk-upload/")
        self._require_usable(options)
        bundle = bundled(folder, files, self._project)
        size = options["chunkSize"]
        parts = [bundle[at : at + size] for at in range(0, len(bundle), size)]
        # Parts may be equal: each is sent once, and named wherever it stands.
        names = [_sha1(part) for part in parts]
        chunks = dict(zip(names, parts, strict=True))
        body = {"checksum": _sha1(bundle), "chunks": names, "projects": [self._project.project]}
        clock, missing = Clock.pausing(self._api.http.policy), list[bytes]()
        until = clock.deadline(LIMIT)
        for _ in POLLING.looks(clock, until):
            answer = self._assemble(body)
            if answer["state"] == "ok":
                return True
            missing = [chunks[name] for name in answer["missingChunks"] if name in chunks]
            for batch in _batches(missing, options["chunksPerRequest"], options["maxRequestSize"]):
                if clock.monotonic() > until:
                    break
                self._send(batch)
        if missing:
            raise ProviderError(
                f"Sentry still lacks {len(missing)} of {len(chunks)} parts of the bundle after {LIMIT:.0f} s",
                where=self._api.root,
                why="it is slow, or does not keep what it is sent",
                next_step="see status.sentry.io, then run the job again: it sends what is lacking",
            )
        return False

    def _assemble(self, body: dict[str, Any]) -> dict[str, Any]:
        """What has become of the bundle; the first call with every chunk there begins it. Raises ProviderError for a failure."""

        def ask() -> dict[str, Any]:
            found = self._api.call("POST", "artifactbundle/assemble/", body=body)
            if not isinstance(found, dict) or not isinstance(found.get("state"), str):
                raise self._api.unreadable(found, "state")
            missing = found.get("missingChunks") or []
            if not isinstance(missing, list) or not all(isinstance(name, str) for name in missing):
                raise self._api.unreadable(found, "list of missingChunks")
            return {**found, "missingChunks": missing}

        answer = once(ask, lambda: None, policy=self._api.http.policy)
        if answer["state"] == "error":
            raise ProviderError(
                f"Sentry could not put the bundle together: {answer.get('detail') or 'it says no more'}",
                where=self._api.root,
                why="a file in it is larger than it takes, or it has a failure of its own",
                next_step="see status.sentry.io, then run the job again",
            )
        return answer

    def _send(self, chunks: Sequence[bytes]) -> None:
        from urllib3.filepost import encode_multipart_formdata

        files = [("file", (_sha1(chunk), chunk, "application/octet-stream")) for chunk in chunks]
        data, kind = encode_multipart_formdata(files)

        def write() -> bool:
            self._api.answer("POST", "chunk-upload/", data=data, headers={"Content-Type": kind})
            return True

        # A chunk that is there already can be sent again.
        once(write, lambda: None, policy=self._api.http.policy)

    def _require_usable(self, options: Any) -> None:
        """Raises ProviderError for a Sentry that this does not fit."""
        for key, kind in _OPTIONS.items():
            value = options.get(key) if isinstance(options, dict) else None
            if not isinstance(value, kind) or not value or (isinstance(value, int) and value < 1):
                raise self._api.unreadable(options, key)
        if options["hashAlgorithm"] != "sha1" or not any(each in options["accept"] for each in ACCEPTED):
            raise ProviderError(
                "this Sentry takes no source maps by debug ids",
                where=self._api.root,
                why=f"it hashes by {options['hashAlgorithm']} and takes {', '.join(map(str, options['accept']))}",
                next_step="update it: artifact bundles are from 2023",
            )


def bundled(folder: Path, files: Sequence[Mapped], project: Project) -> bytes:
    """The archive for Sentry: scripts and maps with their debug ids. The same files make the same archive."""
    contents: dict[str, bytes] = {}
    manifest: dict[str, Any] = {}
    for each in files:
        own = {"debug-id": each.debug_id}
        for path, kind, headers in (
            (each.script, "minified_source", {**own, "sourcemap": _relative(each)}),
            (each.map, "source_map", own),
        ):
            name = f"files/_/_/{path}"
            contents[name] = (folder / path).read_bytes()
            manifest[name] = {"type": kind, "url": f"~/{path}", "headers": headers}
    ids = "\n".join(sorted(each.debug_id for each in files))
    about = {
        "debug_id": str(uuid.UUID(bytes=hashlib.sha256(ids.encode()).digest()[:16], version=5)),
        "org": project.organization,
        "project": project.project,
        "files": manifest,
    }
    stream = io.BytesIO(MAGIC)
    stream.seek(len(MAGIC))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**contents, "manifest.json": json.dumps(about, sort_keys=True).encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _relative(each: Mapped) -> str:
    """The map as the script would name it."""
    return posixpath.relpath(each.map, posixpath.dirname(each.script) or ".")


def _batches(chunks: Sequence[bytes], most: int, size: int) -> list[list[bytes]]:
    """In requests of no more than so many chunks and bytes."""
    found: list[list[bytes]] = []
    for chunk in chunks:
        full = not found or len(found[-1]) >= most or sum(map(len, found[-1])) + len(chunk) > size
        if full:
            found.append([])
        found[-1].append(chunk)
    return found


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
