"""Registry errors: `{"errors": [{"code", "message", "detail"}]}` (OCI distribution-spec, error codes)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from rehearsal.emulators.refusal import Refusal


class RegistryError(Refusal):
    """An answer in the distribution spec's error form."""

    def __init__(self, http_status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The error as an HTTP answer."""
        body = {"errors": [{"code": self.code, "message": self.message, "detail": {}}]}
        return JSONResponse(body, status_code=self.http_status, headers=self.headers)


def blob_unknown(digest: str) -> RegistryError:
    """404 for a blob."""
    return RegistryError(404, "BLOB_UNKNOWN", f"blob {digest} is unknown to this repository")


def manifest_unknown(reference: str) -> RegistryError:
    """404 for a manifest."""
    return RegistryError(404, "MANIFEST_UNKNOWN", f"manifest {reference} is unknown to this repository")


def digest_invalid(wanted: str, actual: str) -> RegistryError:
    """400: the content is not what its digest says."""
    return RegistryError(400, "DIGEST_INVALID", f"the content has digest {actual}, not {wanted}")
