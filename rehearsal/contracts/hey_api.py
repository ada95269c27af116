"""App Store Connect's SDK, made by the generator of Hey API with schemas beside the types, in the neutral form.

Apple publishes its OpenAPI document behind a login only; the SDK is generated from it. Its types say which body, query and answers
belong to which call, its schemas (OpenAPI objects written as JavaScript) say more of each field than a type can.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from rehearsal.contracts import javascript, openapi, typescript
from rehearsal.contracts.description import OPEN, Description, OperationDescription, Schema

SCHEMAS, CALLS = "schemas.gen.js", "sdk.gen.js"
FILES = (SCHEMAS, CALLS, typescript.TYPES)
"""The files of the SDK's folder that are read."""

_SCHEMA = re.compile(r"^exports\.(\w+)Schema = (?=\{)", re.MULTILINE)
_CALL = re.compile(
    r"static (\w+)\(options\) \{\s+return \(options\??\.client \?\? [\w.]+\)\.(\w+)\(\{.*?\burl: '([^']+)'", re.DOTALL
)
_OF_CALLS = ("Data", "Errors", "Responses")
_NOTHING: Schema = {"type": "object", "properties": {"data": {"type": "null"}, "links": {}}, "required": ["data"]}


def describe(files: dict[str, str]) -> Description:
    """Every call of the SDK ({file name: text}), and every schema."""
    text = files[SCHEMAS]
    schemas = {match[1]: javascript.read(text, match.end()) for match in _SCHEMA.finditer(text)}
    types = typescript.exported(files[typescript.TYPES], _OF_CALLS)
    named = {name.lower(): schema for name, schema in types.items()}
    return Description(
        operations=tuple(
            _completed(name, typescript.operation(method.upper(), path, typescript.types_of(name, named)), schemas)
            for name, method, path in dict.fromkeys(_CALL.findall(files[CALLS]))
        ),
        definitions={name: openapi.plain(schema) for name, schema in schemas.items()},
    )


def _completed(name: str, call: OperationDescription, schemas: dict[str, Any]) -> OperationDescription:
    """With what Apple sends and does not describe.

    Where nothing is related it answers `data: null` (rorkai/App-Store-Connect-CLI#2539), and the links to following pages carry a
    `cursor`, which is described for no list.
    """
    cursor: dict[str, Schema] = {"cursor": {"type": "string"}} if "limit" in call.query else {}
    answers = {status: _without_files(schema, schemas) for status, schema in call.answers.items()}
    if "GetToOne" in name:
        answers["200"] = {"anyOf": [answers["200"], _NOTHING]}
    return replace(call, query={**call.query, **cursor}, answers=answers)


def _without_files(schema: Schema | None, schemas: dict[str, Any]) -> Schema | None:
    """A file (gzip, csv) is described as a binary string and is no JSON; types begin with a capital, whatever the schema is called."""
    if schema is None or "$ref" not in schema:
        return schema
    wanted = schema["$ref"].removeprefix(OPEN)
    name = wanted if wanted in schemas else wanted[0].lower() + wanted[1:]
    return None if schemas[name].get("format") == "binary" else {"$ref": OPEN + name}
