"""JSON:API as Apple has it: resources, and documents of one or many with filters, order, pages and what is included."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from rehearsal.emulators.app_store.errors import parameter

HOST = "https://api.appstoreconnect.apple.com"
_PAGE, _LARGEST_PAGE = 50, 200

Link = tuple[str, str]
"""(type, id)."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource, before anybody chose fields. Attributes that are None are left out: Apple sends them as null, which its own
    description does not allow, so clients must take both alike."""

    type: str
    id: str
    attributes: Mapping[str, Any]
    one: Mapping[str, Link | None] = field(default_factory=dict)
    many: Mapping[str, Sequence[Link]] = field(default_factory=dict)
    bare: frozenset[str] = frozenset()
    """Relationships that are described without links: shown only when they are included."""

    @property
    def path(self) -> str:
        return f"/v1/{self.type}/{self.id}"


def moment(seconds: float | None) -> str | None:
    """As Apple writes times."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


Find = Callable[[Link], Resource]
"""Gives a resource that another is related to."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """The query of a request: everything of JSON:API in it."""

    path: str
    parameters: Mapping[str, str]

    def values(self, name: str) -> list[str]:
        """Of comma-separated values."""
        text = self.parameters.get(name, "")
        return text.split(",") if text else []

    def named(self, kind: str) -> dict[str, list[str]]:
        """`filter[x]=a,b` as {x: [a, b]}."""
        prefix = f"{kind}["
        return {
            name.removeprefix(prefix).removesuffix("]"): self.values(name)
            for name in self.parameters
            if name.startswith(prefix)
        }


def single(resource: Resource | None, query: Query, find: Find) -> dict[str, Any]:
    """A document of one resource, or of nothing."""
    if resource is None:
        return {"data": None, "links": {"self": HOST + query.path}}
    return {
        "data": _shown(resource, query),
        "links": {"self": HOST + query.path},
        **_included([resource], query, find),
    }


def several(resources: Sequence[Resource], query: Query, find: Find) -> dict[str, Any]:
    """A document of a page of those that the filters let through, in the order that is asked for. Raises Refused 400."""
    wanted = _ordered([one for one in resources if _matches(one, query, find)], query, find)
    limit, start = _limit(query), _start(query)
    page = wanted[start : start + limit]
    more = start + limit < len(wanted)
    paging: dict[str, Any] = {"total": len(wanted), "limit": limit}
    links = {"self": _address(query, query.parameters)}
    if more:
        cursor = base64.urlsafe_b64encode(str(start + limit).encode()).decode().rstrip("=")
        paging["nextCursor"] = cursor
        links["next"] = _address(query, {**query.parameters, "cursor": cursor, "limit": str(limit)})
    return {
        "data": [_shown(one, query) for one in page],
        "links": links,
        "meta": {"paging": paging},
        **_included(page, query, find),
    }


def linkage(resource: Resource, relation: str, query: Query) -> dict[str, Any]:
    """The document behind `/relationships/…`: types and ids only."""
    links = {"self": f"{HOST}{resource.path}/relationships/{relation}"}
    if relation in resource.one:
        return {"data": _identifier(resource.one[relation]), "links": links}
    found = resource.many[relation]
    limit = _limit(query)
    return {
        "data": [_identifier(link) for link in found[:limit]],
        "links": links,
        "meta": {"paging": {"total": len(found), "limit": limit}},
    }


def _shown(resource: Resource, query: Query) -> dict[str, Any]:
    chosen = query.named("fields").get(resource.type)
    include = {name.split(".")[0] for name in query.values("include")}
    attributes = {
        name: value
        for name, value in resource.attributes.items()
        if value is not None and (chosen is None or name in chosen)
    }
    relationships = {
        name: _relationship(resource, name, name in include)
        for name in (*resource.one, *resource.many)
        if (chosen is None or name in chosen or name in include) and (name in include or name not in resource.bare)
    }
    return {
        "type": resource.type,
        "id": resource.id,
        **({"attributes": attributes} if resource.attributes else {}),
        **({"relationships": {k: v for k, v in relationships.items() if v}} if relationships else {}),
        "links": {"self": HOST + resource.path},
    }


def _relationship(resource: Resource, name: str, included: bool) -> dict[str, Any]:
    """What it leads to is given only when it is included; the links always, where Apple describes them."""
    links = {}
    if name not in resource.bare:
        where = HOST + resource.path
        links = {"links": {"self": f"{where}/relationships/{name}", "related": f"{where}/{name}"}}
    if not included:
        return links
    if name in resource.many:
        return {**links, "data": [_identifier(link) for link in resource.many[name]]}
    one = resource.one[name]
    return links if one is None else {**links, "data": _identifier(one)}


def _identifier(link: Link | None) -> dict[str, str] | None:
    return None if link is None else {"type": link[0], "id": link[1]}


def _included(resources: Sequence[Resource], query: Query, find: Find) -> dict[str, Any]:
    include = query.values("include")
    if not include:
        return {}
    wanted: dict[Link, None] = {}
    for resource in resources:
        for name in include:
            wanted.update(dict.fromkeys(_related(resource, name)))
    return {"included": [_shown(find(link), query) for link in wanted]}


def _related(resource: Resource, name: str) -> Sequence[Link]:
    if name in resource.many:
        return resource.many[name]
    one = resource.one.get(name)
    return () if one is None else (one,)


def _matches(resource: Resource, query: Query, find: Find) -> bool:
    for name, values in query.named("filter").items():
        if not set(_values(resource, name, find)) & set(values):
            return False
    asked = query.named("exists").items()
    return all((resource.attributes.get(name) is not None) == (wanted == ["true"]) for name, wanted in asked)


def _values(resource: Resource, name: str, find: Find) -> list[str]:
    """What a filter compares: the id, an attribute, ids of a relationship, or an attribute behind one (`a.b`)."""
    first, _, rest = name.partition(".")
    if rest:
        return [value for link in _related(resource, first) for value in _values(find(link), rest, find)]
    if name == "id":
        return [resource.id]
    if name in resource.attributes:
        value = resource.attributes[name]
        return [] if value is None else [str(value).lower() if isinstance(value, bool) else str(value)]
    return [identifier for _, identifier in _related(resource, name)]


def _ordered(resources: list[Resource], query: Query, find: Find) -> list[Resource]:
    """By the names in `sort`, the first weighing most. A relationship is ordered by its version."""
    for name in reversed(query.values("sort")):
        plain = name.removeprefix("-")
        resources = sorted(resources, key=lambda one: _sorted_by(one, plain, find), reverse=name.startswith("-"))
    return resources


def _sorted_by(resource: Resource, name: str, find: Find) -> tuple[Any, ...]:
    value = resource.attributes.get(name)
    if name in resource.one:
        value = ([*_values(resource, f"{name}.version", find), ""])[0]
    parts = str(value or "").split(".")
    if all(part.isdigit() for part in parts):
        return (0, [int(part) for part in parts], "")
    return (1, [], str(value or ""))


def _limit(query: Query) -> int:
    text = query.parameters.get("limit", str(_PAGE))
    if not text.isdigit() or not 1 <= int(text) <= _LARGEST_PAGE:
        raise parameter("limit", f"'{text}' is not a valid value; the limit is 1 to {_LARGEST_PAGE}.")
    return int(text)


def _start(query: Query) -> int:
    text = query.parameters.get("cursor")
    if text is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        raise parameter("cursor", f"'{text}' is not a valid cursor for this request") from None


def _address(query: Query, parameters: Mapping[str, str]) -> str:
    return HOST + query.path + (f"?{urlencode(parameters)}" if parameters else "")
