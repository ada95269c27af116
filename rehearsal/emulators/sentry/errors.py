"""Refusals in Sentry's form: `{"detail": …}`."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class ApiError(Exception):
    """A refusal."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def bad_request(detail: str) -> ApiError:
    """400."""
    return ApiError(400, detail)


def forbidden() -> ApiError:
    """403: a scope is missing, or a project is not the token's to see."""
    return ApiError(403, "You do not have permission to perform this action.")


def not_found() -> ApiError:
    """404: an organization or an environment that nothing was ever reported for."""
    return ApiError(404, "The requested resource does not exist")


async def answer_api_error(_request: Request, error: Exception) -> Response:
    """Starlette's handler for ApiError."""
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse({"detail": error.detail}, error.status)


async def answer_http_error(_request: Request, error: Exception) -> Response:
    """Starlette's handler for its own refusals: an unknown path, a method not allowed."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"detail": error.detail}, error.status_code)
