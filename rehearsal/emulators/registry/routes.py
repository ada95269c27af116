"""The OCI distribution API under /v2/ (https://github.com/opencontainers/distribution-spec/blob/main/spec.md)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.google.wire import timestamp
from rehearsal.emulators.refusal import exception_handlers
from rehearsal.emulators.registry.access import DELETE, LIFETIME, PULL, PUSH, Gate
from rehearsal.emulators.registry.blobs import Upload, checked_digest
from rehearsal.emulators.registry.errors import RegistryError
from rehearsal.emulators.registry.state import Repositories

Endpoint = Callable[[Request, str, str], Awaitable[Response]]

# Repository names contain slashes, so paths are read from their end.
_PATHS = (
    ("uploads", re.compile(r"(?P<name>.+)/blobs/uploads/(?P<reference>[^/]*)")),
    ("blobs", re.compile(r"(?P<name>.+)/blobs/(?P<reference>[^/]+)")),
    ("manifests", re.compile(r"(?P<name>.+)/manifests/(?P<reference>[^/]+)")),
    ("tags", re.compile(r"(?P<name>.+)/tags/(?P<reference>list)")),
)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


class RegistryRoutes:
    """The endpoints, over `Repositories` and a `Gate`."""

    def __init__(self, repositories: Repositories, gate: Gate, clock: Callable[[], float]) -> None:
        self._repositories = repositories
        self._gate = gate
        self._clock = clock
        self._endpoints: dict[tuple[str, str], tuple[Endpoint, str]] = {
            ("GET", "blobs"): (self._blob, PULL),
            ("HEAD", "blobs"): (self._blob, PULL),
            ("DELETE", "blobs"): (self._delete_blob, DELETE),
            ("POST", "uploads"): (self._begin, PUSH),
            ("GET", "uploads"): (self._progress, PUSH),
            ("PATCH", "uploads"): (self._chunk, PUSH),
            ("PUT", "uploads"): (self._finish, PUSH),
            ("DELETE", "uploads"): (self._cancel, PUSH),
            ("GET", "manifests"): (self._manifest, PULL),
            ("HEAD", "manifests"): (self._manifest, PULL),
            ("PUT", "manifests"): (self._put_manifest, PUSH),
            ("DELETE", "manifests"): (self._delete_manifest, DELETE),
            ("GET", "tags"): (self._tags, PULL),
        }

    def app(self) -> Starlette:
        """The whole API."""
        routes = [
            Route("/v2/", self._base, methods=["GET"]),
            Route("/v2/token", self._token, methods=["GET"]),
            Route("/token", self._token, methods=["GET"]),
            Route("/v2/_catalog", self._catalog, methods=["GET"]),
            Route("/v2/{rest:path}", self._dispatch, methods=_METHODS),
        ]
        return Starlette(routes=routes, exception_handlers=exception_handlers())

    async def _dispatch(self, request: Request) -> Response:
        for kind, pattern in _PATHS:
            match = pattern.fullmatch(request.path_params["rest"])
            if match is None:
                continue
            endpoint, action = self._endpoints.get((request.method, kind), (None, ""))
            if endpoint is None:
                raise RegistryError(405, "UNSUPPORTED", f"{request.method} is not for {kind}")
            self._gate.check(request, match["name"], action)
            return await endpoint(request, match["name"], match["reference"])
        raise RegistryError(404, "NAME_UNKNOWN", f"nothing answers {request.url.path}")

    async def _base(self, request: Request) -> Response:
        self._gate.check(request, "", PULL)
        return JSONResponse({}, headers=_VERSION)

    async def _token(self, request: Request) -> Response:
        token = self._gate.issue(request)
        issued = timestamp(float(int(self._clock())))
        return JSONResponse({"token": token, "access_token": token, "expires_in": LIFETIME, "issued_at": issued})

    async def _catalog(self, request: Request) -> Response:
        self._gate.check(request, "", PULL)
        return _listed(request, "repositories", self._repositories.names(), {})

    async def _tags(self, request: Request, name: str, _reference: str) -> Response:
        return _listed(request, "tags", sorted(self._repositories.get(name).tags), {"name": name})

    async def _blob(self, _request: Request, name: str, digest: str) -> Response:
        path = self._repositories.blob(name, digest)
        headers = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
        return FileResponse(path, media_type="application/octet-stream", headers=headers)

    async def _delete_blob(self, _request: Request, name: str, digest: str) -> Response:
        self._repositories.delete_blob(name, digest)
        return Response(status_code=202)

    async def _begin(self, request: Request, name: str, _reference: str) -> Response:
        query = request.query_params
        if "mount" in query and "from" in query:
            self._gate.check(request, query["from"], PULL)
            if self._repositories.mount(name, query["mount"], query["from"]):
                return _created(name, "blobs", query["mount"])
        self._repositories.writable(name)
        upload_id = self._repositories.blobs.begin(name)
        if "digest" in query:
            return await self._finish(request, name, upload_id)
        return self._accepted(name, upload_id)

    async def _progress(self, _request: Request, name: str, upload_id: str) -> Response:
        return self._accepted(name, upload_id, status=204)

    async def _chunk(self, request: Request, name: str, upload_id: str) -> Response:
        upload = self._repositories.blobs.upload(name, upload_id)
        _check_range(request, upload)
        await upload.append(request.stream())
        return self._accepted(name, upload_id)

    async def _finish(self, request: Request, name: str, upload_id: str) -> Response:
        digest = checked_digest(request.query_params.get("digest", ""))
        upload = self._repositories.blobs.upload(name, upload_id)
        _check_range(request, upload)
        await upload.append(request.stream())
        self._repositories.blobs.finish(upload_id, digest)
        self._repositories.writable(name).blobs.add(digest)
        return _created(name, "blobs", digest)

    async def _cancel(self, _request: Request, name: str, upload_id: str) -> Response:
        self._repositories.blobs.upload(name, upload_id)
        self._repositories.blobs.cancel(upload_id)
        return Response(status_code=204)

    async def _manifest(self, _request: Request, name: str, reference: str) -> Response:
        digest, media_type, content = self._repositories.manifest(name, reference)
        headers = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"', "Content-Type": media_type}
        return Response(content, headers=headers)

    async def _put_manifest(self, request: Request, name: str, reference: str) -> Response:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip()
        digest = self._repositories.put_manifest(name, reference, media_type, await request.body())
        return _created(name, "manifests", digest)

    async def _delete_manifest(self, _request: Request, name: str, reference: str) -> Response:
        self._repositories.delete_manifest(name, reference)
        return Response(status_code=202)

    def _accepted(self, name: str, upload_id: str, *, status: int = 202) -> Response:
        upload = self._repositories.blobs.upload(name, upload_id)
        headers = {
            "Location": f"/v2/{name}/blobs/uploads/{upload_id}",
            "Docker-Upload-UUID": upload_id,
            "Range": f"0-{max(upload.size - 1, 0)}",
        }
        return Response(status_code=status, headers=headers)


def _created(name: str, kind: str, digest: str) -> Response:
    headers = {"Location": f"/v2/{name}/{kind}/{digest}", "Docker-Content-Digest": digest}
    return Response(status_code=201, headers=headers)


def _check_range(request: Request, upload: Upload) -> None:
    """A chunk that says where it begins must begin where the last one ended."""
    sent = request.headers.get("content-range")
    if sent is None:
        return
    start = sent.removeprefix("bytes ").partition("-")[0]
    if not start.isdigit() or int(start) != upload.size:
        raise RegistryError(
            416,
            "BLOB_UPLOAD_INVALID",
            f"the next byte is {upload.size}, not '{sent}'",
            headers={"Range": f"0-{upload.size}"},
        )


def _listed(request: Request, key: str, items: list[str], body: dict[str, Any]) -> Response:
    last, size = request.query_params.get("last", ""), request.query_params.get("n", "")
    rest = [item for item in items if item > last]
    if not size:
        return JSONResponse({**body, key: rest})
    if not size.isdigit():
        raise RegistryError(400, "PAGINATION_NUMBER_INVALID", f"n={size} is not a number")
    shown = rest[: int(size)]
    headers = {}
    if shown and len(rest) > len(shown):
        headers["Link"] = f'<{request.url.path}?n={size}&last={shown[-1]}>; rel="next"'
    return JSONResponse({**body, key: shown}, headers=headers)
