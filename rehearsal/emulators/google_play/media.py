"""HTTP of bundle uploads: at once, as multipart, or resumable. Bodies go to files as they come."""

from __future__ import annotations

import asyncio
import hashlib
import mmap
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from rehearsal.android_bundle import BundleManifest, NotABundle, read
from rehearsal.emulators.google_play import edits, errors, views
from rehearsal.emulators.google_play.access import Access
from rehearsal.emulators.google_play.state import App, Bundle, Edit
from rehearsal.emulators.google_play.uploads import BadRange, ContentRange, Session, SessionGone, Uploads
from rehearsal.serving import cut

_OCTETS = "application/octet-stream"
_RESUME = 308
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')

Find = Callable[[Request, str], tuple[App, Edit]]
"""The app and the open edit that a request names, for a user who may release. Raises PlayError."""


class _Broken(Response):
    """No answer: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await cut(scope, receive)


class Media:
    """`POST …/bundles?uploadType=media|multipart|resumable`, and `PUT` of the pieces of a resumable upload."""

    def __init__(self, uploads: Uploads, access: Access, find: Find) -> None:
        self._uploads = uploads
        self._access = access
        self._find = find

    async def post(self, request: Request) -> Response:
        """An upload as a whole, or the beginning of a session, whose address is in Location."""
        kind = request.query_params.get("uploadType", "")
        if kind == "resumable":
            return self._begin(request)
        if kind not in ("media", "multipart"):
            raise errors.bad_request(f"Invalid upload type: '{kind}'.")
        user = self._access.user(request)
        self._find(request, user)
        file = self._uploads.new_file()
        part = self._uploads.new_file()
        try:
            with file.open("wb") as target:
                async for chunk in request.stream():
                    target.write(chunk)
            sent = _content_type(request.headers.get("content-type", ""))
            if kind == "multipart":
                sent = _second_part(file, part, request.headers.get("content-type", ""))
            _require_octets(sent)
            taken = await self._take(request, user, part if kind == "multipart" else file)
            return JSONResponse(views.bundle(taken))
        finally:
            file.unlink(missing_ok=True)
            part.unlink(missing_ok=True)

    async def put(self, request: Request) -> Response:
        """A piece, or the question how much was taken."""
        try:
            session = self._uploads.session(request.query_params.get("upload_id", ""), request.path_params["edit"])
        except SessionGone:
            return PlainTextResponse("Not Found", 404)
        if session.bundle is not None:
            return JSONResponse(views.bundle(session.bundle))
        length = int(request.headers.get("content-length", "0"))
        try:
            piece = ContentRange.parse(request.headers.get("content-range", f"bytes 0-{length - 1}/{length}"))
        except BadRange as error:
            raise errors.bad_request(str(error)) from error
        if piece.first is not None:
            refusal = await self._receive(request, session, piece)
            if refusal is not None:
                return refusal
        if piece.total is None or session.received < piece.total:
            return Response(status_code=_RESUME, headers=session.range)
        session.bundle = await self._take(request, session.user, session.file)
        session.file.unlink()
        return JSONResponse(views.bundle(session.bundle))

    def _begin(self, request: Request) -> Response:
        user = self._access.user(request)
        self._find(request, user)
        _require_octets(_content_type(request.headers.get("x-upload-content-type", _OCTETS)))
        session = self._uploads.begin(user, request.path_params["edit"])
        address = request.url.include_query_params(uploadType="resumable", upload_id=session.id)
        return Response(headers={"location": str(address), "x-guploader-uploadid": session.id})

    async def _receive(self, request: Request, session: Session, piece: ContentRange) -> Response | None:
        """Take a piece in; an answer where that ends the request."""
        if piece.first is None or piece.first > session.received:
            # A gap. What Google's upload servers answer is not documented; clients of theirs ask for the offset then.
            return PlainTextResponse("Backend Error", 503)
        turn = session.begin_piece(piece.first)
        # Unbuffered: nothing of a broken request may be written after the next one began.
        with session.file.open("r+b", buffering=0) as target:
            target.seek(piece.first)
            try:
                broken = await self._write(request, session, target)
            except ClientDisconnect:
                session.keep_whole_units(turn)
                raise
        if broken:
            session.keep_whole_units(turn)
            return _Broken()
        if session.received != piece.last + 1:
            came, meant = session.received - piece.first, piece.last + 1 - piece.first
            session.keep_whole_units(turn)
            raise errors.bad_request(
                f"Invalid request.  There were {came} byte(s) in the request body.  There should have been {meant} "
                f"byte(s) (starting at offset {piece.first} and ending at offset {piece.last}) according to the "
                "Content-Range header."
            )
        if not piece.ends:
            session.keep_whole_units(turn)
        return None

    async def _write(self, request: Request, session: Session, target: BinaryIO) -> bool:
        """Whether the connection is to be broken. Ends early when another piece has started."""
        turn = session.turn
        async for chunk in request.stream():
            if session.turn != turn:
                return True
            allowed = self._uploads.breaks_within(session.received, len(chunk))
            target.write(chunk if allowed is None else chunk[:allowed])
            session.received += len(chunk) if allowed is None else allowed
            if allowed is not None:
                return True
        if session.turn != turn:
            return True
        target.truncate()
        return False

    async def _take(self, request: Request, user: str, file: Path) -> Bundle:
        """Add a whole file to its edit. Raises PlayError."""
        try:
            manifest, sha1, sha256 = await asyncio.to_thread(_inspect, file)
        except NotABundle as error:
            raise errors.not_a_bundle() from error
        app, edit = self._find(request, user)
        return edits.take_bundle(app, edit, manifest, sha1, sha256)


def _inspect(file: Path) -> tuple[BundleManifest, str, str]:
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        content.seek(0)
        sha1 = hashlib.file_digest(content, "sha1").hexdigest()
    return read(file), sha1, sha256


def _content_type(header: str) -> str:
    return header.partition(";")[0].strip()


def _require_octets(sent: str) -> None:
    if sent != _OCTETS:
        raise errors.media_type(sent)


def _second_part(whole: Path, target: Path, content_type: str) -> str:
    """Write the second part of a multipart/related body (the first is JSON); its type. Raises PlayError."""
    named = _BOUNDARY.search(content_type)
    if named is None or whole.stat().st_size == 0:
        raise errors.bad_request("Malformed multipart body.")
    mark = b"--" + named[1].encode()
    with whole.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
        second = body.find(b"\n" + mark, body.find(mark) + len(mark))
        begins = _after_headers(body, second)
        ends = body.rfind(b"\n" + mark + b"--")
        if second < 0 or begins < 0 or ends < begins:
            raise errors.bad_request("Malformed multipart body.")
        headers = body[second:begins].decode("latin-1")
        ends -= body[ends - 1 : ends] == b"\r"
        with target.open("wb") as part:
            part.write(memoryview(body)[begins:ends])
    found = re.search(r"^content-type:\s*([^;\r\n]+)", headers, re.IGNORECASE | re.MULTILINE)
    return found[1].strip() if found else ""


def _after_headers(body: mmap.mmap, at: int) -> int:
    """Where a part's content begins; -1 when its headers do not end."""
    ends = [(body.find(empty, at), len(empty)) for empty in (b"\r\n\r\n", b"\n\n")]
    return min((found + length for found, length in ends if found >= 0), default=-1)
