"""Google's discovery documents in the neutral form.

They name no status but success, require nothing (it stands in the prose only), and write 64-bit numbers as strings.
A method that takes media has further addresses for it, and its resumable uploads go on with PUT
(https://cloud.google.com/storage/docs/performing-resumable-uploads).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rehearsal.contracts.description import OPEN, Description, OperationDescription, Schema, path_pattern

_PLAIN = ("type", "enum", "pattern", "minimum", "maximum", "format")
# A verb follows the last name after a colon (`…/operations/op-1:wait`), so a name itself holds none.
_NAME = "[^/:]+"


def describe(document: dict[str, Any]) -> Description:
    """Every method and every schema of a discovery document."""
    return Description(
        operations=tuple(
            operation
            for method in _methods(document)
            for operation in (_operation(method, document["parameters"]), *_uploads(method, document["parameters"]))
        ),
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
        # Where no body is described, the older services answer 204 and the newer 200.
        answers={"200": plain(method["response"])} if "response" in method else {"2XX": None},
    )


def _uploads(method: dict[str, Any], common: dict[str, Any]) -> Iterator[OperationDescription]:
    """The same method with media: sent at once, or begun (POST) and gone on with (PUT) in a resumable session."""
    for protocol in method.get("mediaUpload", {}).get("protocols", {}).values():
        whole = replace(
            _operation({**method, "flatPath": protocol["path"].removeprefix("/")}, common),
            request=None,
            takes_bytes=True,
        )
        yield whole
        yield replace(
            whole,
            method="PUT",
            query={**whole.query, "upload_id": {"type": "string"}},
            query_required=("upload_id",),
            answers={**whole.answers, "308": None},
        )


def _query_schema(parameter: dict[str, Any]) -> Schema:
    schema = plain({name: value for name, value in parameter.items() if name != "location"})
    return {"type": "array", "items": schema} if parameter.get("repeated") else schema
