"""Google's discovery documents in the neutral form.

They name no status but success, require nothing (it stands in the prose only), and write 64-bit numbers as strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rehearsal.contracts.description import OPEN, Description, OperationDescription, Schema, path_pattern

_PLAIN = ("type", "enum", "pattern", "minimum", "maximum", "format")
# A verb follows the last name after a colon (`…/operations/op-1:wait`), so a name itself holds none.
_NAME = "[^/:]+"


def describe(document: dict[str, Any]) -> Description:
    """Every method and every schema of a discovery document."""
    return Description(
        operations=tuple(_operation(method, document["parameters"]) for method in _methods(document)),
        definitions={name: plain(schema) for name, schema in document["schemas"].items()},
    )


def plain(schema: Schema) -> Schema:
    """A discovery schema as JSON Schema 2020-12."""
    if "$ref" in schema:
        return {"$ref": OPEN + schema["$ref"]}
    kept: Schema = {name: schema[name] for name in _PLAIN if name in schema}
    if kept.get("type") == "any":
        del kept["type"]
    for number in ("minimum", "maximum"):
        if number in kept:
            kept[number] = float(kept[number])
    if "properties" in schema:
        kept["properties"] = {name: plain(value) for name, value in schema["properties"].items()}
    if "items" in schema:
        kept["items"] = plain(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = plain(schema["additionalProperties"])
    return kept


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def _operation(method: dict[str, Any], common: dict[str, Any]) -> OperationDescription:
    own = {name: p for name, p in method.get("parameters", {}).items() if p["location"] == "query"}
    template = "/" + method.get("flatPath", method["path"])
    return OperationDescription(
        method=method["httpMethod"],
        path=template,
        pattern=path_pattern(template, parameter=_NAME),
        query={name: _query_schema(p) for name, p in {**common, **own}.items()},
        query_required=tuple(name for name, p in own.items() if p.get("required")),
        request=plain(method["request"]) if "request" in method else None,
        request_required=False,
        answers={"200": plain(method["response"]) if "response" in method else None},
    )


def _query_schema(parameter: dict[str, Any]) -> Schema:
    schema = plain({name: value for name, value in parameter.items() if name != "location"})
    return {"type": "array", "items": schema} if parameter.get("repeated") else schema
