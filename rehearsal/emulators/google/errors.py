"""The error form of every Google REST API: `{"error": {"code", "message", "status", "details"}}`.

Source: https://cloud.google.com/apis/design/errors (HTTP mapping of google.rpc.Code).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from rehearsal.emulators import refusal
from rehearsal.emulators.refusal import Refusal

# google.rpc.Code name -> (number in google.rpc.Status, HTTP status).
CODES: Mapping[str, tuple[int, int]] = {
    "INVALID_ARGUMENT": (3, 400),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "FAILED_PRECONDITION": (9, 400),
    "ABORTED": (10, 409),
    "UNIMPLEMENTED": (12, 501),
    "INTERNAL": (13, 500),
    "UNAUTHENTICATED": (16, 401),
}


class GoogleError(Refusal):
    """An answer in Google's error form; `status` is a google.rpc.Code name."""

    def __init__(self, status: str, message: str, *, details: tuple[Mapping[str, Any], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details

    @property
    def number(self) -> int:
        """The google.rpc.Code number, as long-running operations carry it."""
        return CODES[self.status][0]

    @property
    def http_status(self) -> int:
        """The HTTP status this code travels under."""
        return CODES[self.status][1]

    def response(self) -> Response:
        """The error as an HTTP answer."""
        return _body(self.http_status, self.message, self.status, [dict(detail) for detail in self.details])


def not_found(what: str) -> GoogleError:
    """404 for a resource name."""
    return GoogleError("NOT_FOUND", f"Resource '{what}' was not found.")


def invalid(field: str, problem: str) -> GoogleError:
    """400 with the field named, as google.rpc.BadRequest does."""
    detail = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": field, "description": problem}],
    }
    return GoogleError("INVALID_ARGUMENT", f"{field}: {problem}", details=(detail,))


def exception_handlers() -> dict[Any, ExceptionHandler]:
    """For `Starlette(exception_handlers=...)`: refusals, and routing's own 404 and 405 in Google's form."""
    return refusal.exception_handlers(_not_routed)


def _not_routed(request: Request, error: HTTPException) -> Response:
    message = f"No method answers {request.method} {request.url.path}."
    return _body(error.status_code, message, "NOT_FOUND" if error.status_code == 404 else "UNIMPLEMENTED", [])


def _body(code: int, message: str, status: str, details: list[dict[str, Any]]) -> Response:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = details
    return JSONResponse({"error": error}, status_code=code)
