"""The JSON:API body of a request."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from rehearsal.emulators.app_store.errors import Refused, invalid, required


class Body:
    """`{"data": {type, id, attributes, relationships}}`."""

    def __init__(self, data: dict[str, Any]) -> None:
        attributes, relationships = data.get("attributes"), data.get("relationships")
        self.attributes: dict[str, Any] = attributes if isinstance(attributes, dict) else {}
        self._relationships: dict[str, Any] = relationships if isinstance(relationships, dict) else {}

    def attribute(self, name: str) -> Any:
        """A required one. Raises Refused 409."""
        value = self.attributes.get(name)
        if value is None:
            raise required(name)
        return value

    def has_relation(self, name: str) -> bool:
        return name in self._relationships

    def relation(self, name: str) -> str | None:
        """Id of what it is related to; None for nothing."""
        related = self._relationships.get(name)
        data = related.get("data") if isinstance(related, dict) else None
        return str(data["id"]) if isinstance(data, dict) and "id" in data else None

    def required_relation(self, name: str) -> str:
        """Raises Refused 409."""
        identifier = self.relation(name)
        if identifier is None:
            raise required(name, "relationships")
        return identifier


async def document(request: Request) -> Any:
    """The `data` of the request. Raises Refused 400."""
    try:
        sent = json.loads(await request.body())
        return sent["data"]
    except (ValueError, KeyError, TypeError):
        raise Refused(
            400, "ENTITY_INVALID", "The request entity is not a valid request document object", "It has no data."
        ) from None


async def resource(request: Request) -> Body:
    """One resource; with an id in the path it must be that one. Raises Refused 400 and 409."""
    data = await document(request)
    if not isinstance(data, dict):
        raise Refused(400, "ENTITY_INVALID", "The request entity is not valid", "The data is not an object.")
    wanted = request.path_params.get("id")
    if wanted is not None and data.get("id") != wanted:
        raise invalid("id", "The id of the entity is not that of the path.")
    return Body(data)


async def identifiers(request: Request) -> list[str]:
    """Ids of a to-many relationship. Raises Refused 400."""
    data = await document(request)
    if not isinstance(data, list) or not all(isinstance(one, dict) and "id" in one for one in data):
        raise Refused(400, "ENTITY_INVALID", "The request entity is not valid", "The data is not a list of resources.")
    return [str(one["id"]) for one in data]


async def identifier(request: Request) -> str | None:
    """Id of a to-one relationship; None for nothing. Raises Refused 400."""
    data = await document(request)
    if data is not None and not (isinstance(data, dict) and "id" in data):
        raise Refused(400, "ENTITY_INVALID", "The request entity is not valid", "The data is not a resource.")
    return None if data is None else str(data["id"])
