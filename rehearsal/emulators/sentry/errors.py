"""Refusals in Sentry's form: `{"detail": …}`."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.refusal import Refusal


class ApiError(Refusal):
    """A refusal."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

    def response(self) -> Response:
        """The refusal as HTTP."""
        return JSONResponse({"detail": self.detail}, self.status)


class WrongUpload(ApiError):
    """400, in the form of what takes chunks and bundles: `{"error": …}`."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, detail)

    def response(self) -> Response:
        return JSONResponse({"error": self.detail}, self.status)


def bad_request(detail: str) -> ApiError:
    """400."""
    return ApiError(400, detail)


def forbidden() -> ApiError:
    """403: a scope is missing, or a project is not the token's to see."""
    return ApiError(403, "You do not have permission to perform this action.")


def not_found() -> ApiError:
    """404: an organization or an environment that nothing was ever reported for."""
    return ApiError(404, "The requested resource does not exist")


def not_routed(_request: Request, error: HTTPException) -> Response:
    """Of an unknown path, and of a method not allowed."""
    return JSONResponse({"detail": error.detail}, error.status_code)
