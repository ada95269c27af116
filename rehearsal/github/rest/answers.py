"""What an endpoint gives back, and pages of lists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.github.problems import Problem

Item = TypeVar("Item")

NOT_MODIFIED = 304
_PER_PAGE = 30
_MOST_PER_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, JSON body (None: no body) and headers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self, request: Request, more: dict[str, str]) -> Response:
        """As HTTP; an unchanged GET is answered 304 by its ETag."""
        headers = {**more, **self.headers}
        if self.body is None:
            return Response(status_code=self.status, headers=headers)
        content = json.dumps(self.body, ensure_ascii=False).encode()
        if request.method in ("GET", "HEAD") and self.status == 200:
            tag = f'W/"{hashlib.sha256(content).hexdigest()}"'
            headers |= {"ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60"}
            if request.headers.get("if-none-match") == tag:
                return Response(status_code=NOT_MODIFIED, headers=headers)
        return Response(content, self.status, headers, media_type="application/json; charset=utf-8")


def ok(body: Any) -> Answer:
    return Answer(body=body)


def created(body: Any, location: str = "") -> Answer:
    return Answer(status=201, body=body, headers={"Location": location} if location else {})


def no_content() -> Answer:
    return Answer(status=204)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which part of a list a request asks for."""

    page: int
    per_page: int

    @property
    def start(self) -> int:
        return (self.page - 1) * self.per_page


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Item]):
    """One page of a list, with the links to the others."""

    items: Sequence[Item]
    total: int
    links: dict[str, str]

    def answer(self, rendered: Sequence[Any], key: str | None = None) -> Answer:
        """`rendered` are this page's items; `key` names them where GitHub wraps lists with a total."""
        body: Any = list(rendered) if key is None else {"total_count": self.total, key: list(rendered)}
        return Answer(body=body, headers=self.links)


def window(request: Request, per_page: int = _PER_PAGE, most: int = _MOST_PER_PAGE) -> Window:
    """`page` and `per_page` of a request; out of range is brought into it, as GitHub does."""
    page = _whole(request, "page", 1)
    size = _whole(request, "per_page", per_page)
    return Window(page=max(1, page), per_page=min(max(1, size), most))


def links(request: Request, base: str, at: Window, total: int) -> dict[str, str]:
    """The Link header for one window of a list of `total`."""
    last = max(1, -(-total // at.per_page))
    targets: dict[str, int] = {}
    if at.page > 1:
        targets |= {"prev": min(at.page - 1, last), "first": 1}
    if at.page < last:
        targets |= {"next": at.page + 1, "last": last}
    if not targets:
        return {}
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    url = f"{base}{request.url.path}"
    parts = [f'<{url}?{urlencode([*query, ("page", str(page))])}>; rel="{name}"' for name, page in targets.items()]
    return {"Link": ", ".join(parts)}


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise Problem(422, f"Invalid request.\n\nFor '{name}', {text!r} is not an integer.") from error
