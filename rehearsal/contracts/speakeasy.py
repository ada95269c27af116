"""A provider's SDK in TypeScript, made by the Speakeasy generator, in the neutral form.

Vercel publishes no OpenAPI file in a package, but its SDK is generated from one: every call is a module that names
method, path, query and the schemas of body and answers, in the same few forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rehearsal.contracts import javascript, zod
from rehearsal.contracts.description import OPEN, Description, OperationDescription, Schema, path_pattern, references
from rehearsal.contracts.javascript import Call, Member

_PATH = re.compile(r'pathToFunc\("([^"]+)"\)')
_METHOD = re.compile(r'method: "(\w+)"')
_QUERY = re.compile(r"encodeFormQuery\((?=\{)")
_REQUEST = re.compile(r"([\w$]+\$outboundSchema)(?:\.optional\(\))?\.parse\(value\)")
_BODY = re.compile(r"const body = (encodeJSON|payload\.RequestBody instanceof)")
_ANSWERS = re.compile(r"await (?=M\.match\()")
_BODY_PROPERTY = "RequestBody"


def describe(modules: dict[str, str]) -> Description:
    """The calls among an SDK's modules ({path: text}), and every schema they reach."""
    constants = _Constants(modules)
    calls = [text for path, text in modules.items() if path.startswith("funcs/")]
    operations = tuple(_operation(text, constants) for text in calls)
    return Description(operations=operations, definitions=constants.converted())


class _Constants:
    """The exported constants of all modules, read when something refers to them."""

    def __init__(self, modules: dict[str, str]) -> None:
        self._texts: dict[str, str] = {}
        for path, text in modules.items():
            if path.startswith("models/"):
                self._texts.update(javascript.exports(text))
        self._schemas: dict[str, Schema] = {}

    def expression(self, name: str) -> Any:
        return javascript.read(self._texts[name])

    def schema(self, name: str) -> Schema:
        """A named schema, converted together with all that it reaches."""
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current not in self._schemas:
                outbound = current.endswith("$outboundSchema")
                self._schemas[current] = zod.schema_of(self.expression(current), self.expression, outbound=outbound)
                waiting += (reference.removeprefix(OPEN) for reference in references(self._schemas[current]))
        return self._schemas[name]

    def inline(self, node: Any) -> Schema:
        """The schema of an expression inside a call's module."""
        schema = zod.schema_of(node, self.expression, outbound=False)
        for reference in references(schema):
            self.schema(reference.removeprefix(OPEN))
        return schema

    def converted(self) -> dict[str, Schema]:
        return self._schemas


def _operation(text: str, constants: _Constants) -> OperationDescription:
    path = _found(_PATH, text)[1]
    sent = _sent(text, constants)
    body = _BODY.search(text)
    takes_bytes = body is not None and body[1] != "encodeJSON"
    request = sent.get("properties", {}).get(_BODY_PROPERTY) if body and not takes_bytes else None
    return OperationDescription(
        method=_found(_METHOD, text)[1],
        path=path,
        pattern=path_pattern(path),
        query=dict(_query(text, sent)),
        query_required=tuple(name for name in sent.get("required", ()) if name in dict(_query(text, sent))),
        request=request,
        request_required=request is not None and _BODY_PROPERTY in sent.get("required", ()),
        takes_bytes=takes_bytes,
        answers=dict(_answers(text, constants)),
    )


def _sent(text: str, constants: _Constants) -> Schema:
    """The schema of everything a call sends: path and query parameters, and the body under one name."""
    request = _REQUEST.search(text)
    return {} if request is None else constants.schema(request[1])


def _query(text: str, sent: Schema) -> Iterator[tuple[str, Schema]]:
    start = _QUERY.search(text)
    if start is None:
        return
    for name, value in javascript.read(text, start.end()).items():
        if isinstance(value, Member):
            yield name, sent.get("properties", {}).get(value.name, {})


def _answers(text: str, constants: _Constants) -> Iterator[tuple[str, Schema | None]]:
    """Of `M.match(M.json(200, Schema), M.nil([201, 202], ...), M.fail([400, "4XX"]))`."""
    matched = javascript.read(text, _found(_ANSWERS, text).end()).function
    for matcher in matched.arguments:
        if not isinstance(matcher, Call):
            continue
        codes = matcher.arguments[0] if isinstance(matcher.arguments[0], list) else [matcher.arguments[0]]
        has_body = matcher.function.name in ("json", "jsonErr")
        schema = constants.inline(matcher.arguments[1]) if has_body else None
        for code in codes:
            yield str(code), schema


def _found(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.search(text)
    if match is None:
        raise ValueError(f"the SDK's module has no {pattern.pattern}")
    return match
