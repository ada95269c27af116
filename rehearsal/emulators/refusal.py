"""What HTTP APIs have in common where they refuse: each provider has its own form and words, all are answered in one way."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler


class Refusal(Exception):
    """A request that the provider refuses; raised anywhere below an emulator's routes."""

    @abstractmethod
    def response(self) -> Response:
        """The refusal in the provider's form."""


def exception_handlers(
    routing: Callable[[Request, HTTPException], Response] | None = None,
) -> dict[Any, ExceptionHandler]:
    """For `Starlette(exception_handlers=...)`: every Refusal by its own response.

    `routing`: the provider's words for Starlette's own refusals, an unknown path (404) and a method not allowed (405).
    """

    async def refused(_request: Request, error: Exception) -> Response:
        if not isinstance(error, Refusal):
            raise error
        return error.response()

    async def not_routed(request: Request, error: Exception) -> Response:
        if routing is None or not isinstance(error, HTTPException):
            raise error
        return routing(request, error)

    return {Refusal: refused, **({HTTPException: not_routed} if routing is not None else {})}


def bearer(request: Request) -> str | None:
    """The token of `Authorization: Bearer`, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
