"""Refusals in Vercel's form: `{"error": {"code", "message", ...}}`."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.refusal import Refusal


class ApiError(Refusal):
    """A refusal. `more` goes beside code and message."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"error": {"code": code, "message": message, **more}}

    def response(self) -> Response:
        """The refusal as HTTP."""
        return JSONResponse(self.content, self.status)


def not_found(what: str) -> ApiError:
    """404."""
    return ApiError(404, "not_found", f"{what} could not be found.")


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "bad_request", message)


def not_routed(_request: Request, error: HTTPException) -> Response:
    """Of an unknown path, and of a method not allowed."""
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    return JSONResponse({"error": {"code": code, "message": error.detail}}, error.status_code)
