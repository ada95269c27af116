"""The form of every answer that is not what was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "wrong_type"}


class Refusal(HTTPException):
    """The request cannot be answered, through the caller's own doing; `detail` says why in a sentence."""


def problem(status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """`{"error": {"code": …, "message": …}}`: the code for programs, the message for people."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status, headers=headers)


async def refused(request: Request, error: Exception) -> Response:
    """Exception handler for HTTPException, Starlette's own (404, 405) included."""
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "refused")
    return problem(error.status_code, code, _sentence(request, error), headers=error.headers)


def _sentence(request: Request, error: HTTPException) -> str:
    if isinstance(error, Refusal):
        return error.detail
    if error.status_code == 404:
        return f"There is nothing at {request.url.path}."
    if error.status_code == 405:
        return f"{request.url.path} does not answer to {request.method}."
    return error.detail
