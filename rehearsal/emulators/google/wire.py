"""Times, bodies, query values and pages as Google's JSON mapping writes them."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from starlette.requests import Request

from rehearsal.emulators.google.errors import GoogleError, invalid

T = TypeVar("T")
_PAGE_SIZE = 100


def timestamp(seconds: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, the form of google-datetime: a fraction only where there is one."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if moment.microsecond else "%Y-%m-%dT%H:%M:%SZ")


def duration(text: str, *, field: str) -> float:
    """Seconds of a google-duration such as "3.5s". Raises GoogleError INVALID_ARGUMENT."""
    try:
        if not text.endswith("s"):
            raise ValueError(text)
        return float(text[:-1])
    except ValueError as error:
        raise invalid(field, f"'{text}' is not a duration such as '300s'.") from error


async def json_body(request: Request) -> dict[str, Any]:
    """The request's JSON object; an empty body is {}. Raises GoogleError INVALID_ARGUMENT."""
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise GoogleError("INVALID_ARGUMENT", f"The request body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise GoogleError("INVALID_ARGUMENT", "The request body is not a JSON object.")
    return body


def flag(request: Request, name: str) -> bool:
    """A boolean query parameter; absent is false. Raises GoogleError INVALID_ARGUMENT."""
    text = request.query_params.get(name, "false").lower()
    if text not in ("true", "false"):
        raise invalid(name, f"'{text}' is neither true nor false.")
    return text == "true"


def page(request: Request, items: Sequence[T]) -> tuple[Sequence[T], str]:
    """One page of `items` by pageSize and pageToken, and the next token ("" at the end)."""
    start = _offset(request.query_params.get("pageToken", ""))
    text = request.query_params.get("pageSize", "0")
    if not text.isdigit():
        raise invalid("pageSize", f"'{text}' is not a number of zero or more.")
    size = min(int(text) or _PAGE_SIZE, _PAGE_SIZE)
    end = start + size
    following = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else ""
    return items[start:end], following


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError as error:
        raise invalid("pageToken", "this token was not given by an earlier page.") from error
