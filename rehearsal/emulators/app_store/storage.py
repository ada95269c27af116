"""Apple's object storage, which takes the parts of an upload. It asks for no token: the address itself is the permission.

Its errors are XML, as S3's are. General knowledge, beside the shape of the addresses, which public logs show.
"""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.emulators.app_store.model import Part, UploadFile
from rehearsal.emulators.app_store.state import Account
from rehearsal.emulators.app_store.uploads import path

HOST = "northamerica-1.object-storage.apple.com"
FOLDER = "/itmspod11-assets-massilia-200001"
TYPE = "application/octet-stream"


def address(file: UploadFile, part: Part) -> str:
    """Where a part is sent."""
    return f"https://{HOST}{FOLDER}/{file.token}?partNumber={part.number}&uploadId={file.id}"


class Storage:
    """PUT of parts: in any order, again and again, until the upload is committed."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def put(self, request: Request) -> Response:
        """One part, written as it comes."""
        file, part = self._aim(request)
        if file is None or part is None or file.state != "AWAITING_UPLOAD":
            return _refused(404, "NoSuchUpload", "The specified multipart upload does not exist.")
        if self._account.now() > file.expires:
            return _refused(403, "AccessDenied", "Request has expired")
        if request.headers.get("content-type") != TYPE:
            return _refused(403, "SignatureDoesNotMatch", "The request does not have the headers that were signed.")
        tag = await self._write(request, file, part)
        if tag is None:
            return _refused(400, "IncompleteBody", f"The part has not the length of {part.length} bytes.")
        part.tag = tag
        return Response(status_code=200, headers={"ETag": f'"{tag}"'})

    def _aim(self, request: Request) -> tuple[UploadFile | None, Part | None]:
        token, query = request.path_params["token"], request.query_params
        files = self._account.files.values()
        file = next((f for f in files if f.token == token and f.id == query.get("uploadId")), None)
        parts = () if file is None else file.parts
        return file, next((p for p in parts if str(p.number) == query.get("partNumber")), None)

    async def _write(self, request: Request, file: UploadFile, part: Part) -> str | None:
        """MD5 of the part; None if it is not as long as was announced."""
        part.tag = None
        target = path(self._account, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        digest, length = hashlib.md5(usedforsecurity=False), 0
        with target.open("r+b") as content:
            content.seek(part.offset)
            async for chunk in request.stream():
                length += len(chunk)
                if length > part.length:
                    return None
                content.write(chunk)
                digest.update(chunk)
        return digest.hexdigest() if length == part.length else None


def _refused(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(text, status, media_type="application/xml")
