"""OpenAPI 3.0 documents (GitHub's) in the neutral form.

OpenAPI 3.0 has its own dialect of JSON Schema: `nullable`, boolean `exclusiveMinimum`, and `$ref` whose siblings do not
count. Only what constrains is kept, so that the whole of GitHub's 13 MB fits in a few.
"""

from __future__ import annotations

from typing import Any

from rehearsal.contracts.description import OPEN, Description, OperationDescription, Schema, path_pattern

_SCHEMAS = "#/components/schemas/"
_METHODS = ("get", "put", "post", "delete", "patch", "head")
_PLAIN = (
    "type", "enum", "required", "pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems",
    "maxItems", "uniqueItems", "minProperties", "maxProperties", "multipleOf",
)  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf")


def describe(document: dict[str, Any]) -> Description:
    """Every operation and every schema of an OpenAPI 3.0 document."""
    operations = tuple(
        _operation(document, path, method, item)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    )
    schemas = document["components"]["schemas"]
    return Description(operations=operations, definitions={name: plain(schema) for name, schema in schemas.items()})


def plain(schema: Schema) -> Schema:
    """An OpenAPI 3.0 schema as JSON Schema 2020-12."""
    if "$ref" in schema:
        kept: Schema = {"$ref": OPEN + schema["$ref"].removeprefix(_SCHEMAS)}
    else:
        kept = {name: schema[name] for name in _PLAIN if name in schema}
        for name in _LISTS:
            if name in schema:
                kept[name] = [plain(branch) for branch in schema[name]]
        if "not" in schema:
            kept["not"] = plain(schema["not"])
        if "properties" in schema:
            kept["properties"] = {name: plain(value) for name, value in schema["properties"].items()}
        if "items" in schema:
            kept["items"] = plain(schema["items"])
        extra = schema.get("additionalProperties")
        if extra is not None:
            kept["additionalProperties"] = plain(extra) if isinstance(extra, dict) else extra
    return _or_null(kept) if schema.get("nullable") else kept


def _or_null(schema: Schema) -> Schema:
    kind = schema.get("type")
    if kind is None:
        return {"anyOf": [schema, {"type": "null"}]}
    either: Schema = {**schema, "type": [kind, "null"]}
    if "enum" in schema and None not in schema["enum"]:
        either["enum"] = [*schema["enum"], None]
    return either


def _operation(document: dict[str, Any], path: str, method: str, item: dict[str, Any]) -> OperationDescription:
    found = item[method]
    parameters = [_resolved(document, p) for p in [*item.get("parameters", []), *found.get("parameters", [])]]
    query = [p for p in parameters if p["in"] == "query"]
    spanning = frozenset(p["name"] for p in parameters if p["in"] == "path" and p.get("x-multi-segment"))
    body = _resolved(document, found.get("requestBody", {}))
    request = _json_schema(body)
    return OperationDescription(
        method=method.upper(),
        path=path,
        pattern=path_pattern(path, spanning=spanning),
        query={p["name"]: plain(p.get("schema", {})) for p in query},
        query_required=tuple(p["name"] for p in query if p.get("required")),
        request=request,
        request_required=bool(body.get("required")) and request is not None,
        takes_bytes=bool(body.get("content")) and request is None,
        answers={status: _json_schema(_resolved(document, r)) for status, r in found["responses"].items()},
    )


def _resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The parameter, body or answer itself where the node only points at it."""
    reference = node.get("$ref")
    if reference is None:
        return node
    target: Any = document
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return dict(target)


def _json_schema(node: dict[str, Any]) -> Schema | None:
    for kind, content in node.get("content", {}).items():
        if kind.split(";")[0].endswith("json") and "schema" in content:
            return plain(content["schema"])
    return None
