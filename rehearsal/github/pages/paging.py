"""Pages of long lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

Item = TypeVar("Item")

PER_PAGE = 25


@dataclass(frozen=True, kw_only=True)
class ListPage(Generic[Item]):
    items: Sequence[Item]
    number: int
    last: int
    total: int
    query: Sequence[tuple[str, str]]

    def link(self, number: int) -> str:
        """Address of another page of the same list, relative to this one."""
        return "?" + urlencode([*self.query, ("page", str(number))])


def part(request: Request, items: Sequence[Item]) -> ListPage[Item]:
    """The part of a list that a request asks for."""
    return part_of(request, items, len(items), cut=True)


def part_of(request: Request, items: Sequence[Item], total: int, *, cut: bool = False) -> ListPage[Item]:
    """One page of a list of `total`; `items` are the whole list to cut from, or this page's already."""
    last = max(1, -(-total // PER_PAGE))
    number = min(asked(request), last)
    shown = items[(number - 1) * PER_PAGE : number * PER_PAGE] if cut else items
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    return ListPage(items=shown, number=number, last=last, total=total, query=query)


def asked(request: Request) -> int:
    """The page a request asks for, from 1."""
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1
