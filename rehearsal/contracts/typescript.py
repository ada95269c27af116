"""A provider's SDK in TypeScript, made by the generator of Hey API, in the neutral form.

Sentry publishes no OpenAPI file in a package, but its SDK is generated from one: a file of types that name path, query, body and answers
of every call, and a file of calls with method and path. Only the types that such a generator writes are understood; another raises
ValueError, it is never skipped silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.contracts.description import OPEN, Description, OperationDescription, Schema, path_pattern

CALLS, TYPES = "index.js", "types.gen.d.ts"
"""The two files that are read."""

_CALL = re.compile(
    r"^var (\w+) = \(options\) => \(options\??\.client \?\? client\)\.(\w+)\(\{(?:(?!^var ).)*?url: \"([^\"]+)\"",
    re.MULTILINE | re.DOTALL,
)
_EXPORT = re.compile(r"^export type (\w+) = ", re.MULTILINE)
_DERIVED = re.compile(r"\w+\[keyof \w+\];")
_TOKEN = re.compile(r"(?:\s|/\*.*?\*/)*('(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?|[\w$]+|[{}\[\]()<>:;|&?,])", re.DOTALL)
_NEVER: Schema = {"not": {}}
_PLAIN: Mapping[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    "true": {"const": True},
    "false": {"const": False},
    "unknown": {},
    "void": {},
    "never": _NEVER,
    "Date": {"type": "string"},
    "Blob": {},
    "File": {},
}


def describe(files: dict[str, str]) -> Description:
    """The calls of an SDK ({CALLS: text, TYPES: text}), and every type it exports."""
    types = exported(files[TYPES])
    named = {name.lower(): schema for name, schema in types.items()}
    operations = tuple(
        operation(match[2].upper(), match[3], types_of(match[1], named)) for match in _CALL.finditer(files[CALLS])
    )
    return Description(operations=operations, definitions=types)


def exported(text: str, ending: tuple[str, ...] = ("",)) -> dict[str, Schema]:
    """The types of a file that are exported and not derived from others, by name; only those whose names have such an ending."""
    return {
        match[1]: _Reader(text, match.end()).type()
        for match in _EXPORT.finditer(text)
        if match[1].endswith(ending) and not _DERIVED.match(text, match.end())
    }


def types_of(call: str, types: Mapping[str, Schema]) -> dict[str, Mapping[str, Any]]:
    """Data, Errors and Responses of a call; those that it has not are empty. `types`: by their names in small letters, since those of
    a call and of its types differ in capitals."""
    name = call.replace("_", "").lower()
    if f"{name}data" not in types:
        raise ValueError(f"the SDK has no type for what its call {call} sends")
    return {part: types.get(f"{name}{part.lower()}", {}) for part in ("Data", "Errors", "Responses")}


def operation(method: str, path: str, types: Mapping[str, Mapping[str, Any]]) -> OperationDescription:
    """A call with its types, as `types_of` gives them."""
    sent = types["Data"]["properties"]
    query, body = sent.get("query", {}), sent.get("body", _NEVER)
    return OperationDescription(
        method=method,
        path=path,
        pattern=path_pattern(path),
        query=dict(query.get("properties", {})),
        query_required=tuple(query.get("required", ())),
        request=None if body == _NEVER else body,
        request_required=body != _NEVER and "body" in types["Data"].get("required", ()),
        answers=dict(_answers(types["Responses"])) | dict(_answers(types["Errors"])),
    )


def _answers(described: Mapping[str, Any]) -> Iterator[tuple[str, Schema | None]]:
    """By status. `unknown` is a body that is not described, `void` none."""
    for status, schema in described.get("properties", {}).items():
        yield status, schema or None


class _Reader:
    """Reads one type."""

    def __init__(self, text: str, at: int) -> None:
        self._text, self._at = text, at

    def type(self) -> Schema:
        """Alternatives, each of which may be several types at once."""
        self._take("|")
        branches = [self._both()]
        while self._take("|"):
            branches.append(self._both())
        if len(branches) == 1:
            return branches[0]
        if all("const" in branch for branch in branches):
            return {"enum": [branch["const"] for branch in branches]}
        return {"anyOf": branches}

    def _both(self) -> Schema:
        parts = [self._primary()]
        while self._take("&"):
            parts.append(self._primary())
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    def _primary(self) -> Schema:
        token = self._next()
        if token == "{":
            return self._object()
        if token == "(":
            inner = self.type()
            self._expect(")")
            return inner
        if token == "[":
            return self._tuple()
        if token == "Array":
            self._expect("<")
            items = self.type()
            self._expect(">")
            return {"type": "array", "items": items}
        if token[0] == "'":
            return {"const": _string(token)}
        if token[0].isdigit() or token[0] == "-":
            return {"const": float(token) if "." in token else int(token)}
        if token in _PLAIN:
            return dict(_PLAIN[token])
        if not token[0].isalpha():
            raise ValueError(f"not a type at {self._text[self._at - 1 : self._at + 40]!r}")
        return {"$ref": OPEN + token}

    def _object(self) -> Schema:
        properties: dict[str, Any] = {}
        required: list[str] = []
        found: Schema = {"type": "object"}
        while not self._take("}"):
            if self._take("["):
                for expected in ("key", ":", "string", "]", ":"):
                    self._expect(expected)
                found["additionalProperties"] = self.type()
            else:
                name = _string(self._name())
                optional = self._take("?")
                self._expect(":")
                properties[name] = self.type()
                required += [] if optional else [name]
            self._expect(";")
        return found | ({"properties": properties} if properties else {}) | ({"required": required} if required else {})

    def _name(self) -> str:
        token = self._next()
        return self._next() if token == "readonly" and self._peek() not in ("?", ":") else token

    def _tuple(self) -> Schema:
        items = [self.type()]
        while self._take(","):
            items.append(self.type())
        self._expect("]")
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}

    def _next(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise ValueError(f"not a type at {self._text[self._at : self._at + 40]!r}")
        self._at = match.end()
        return match[1]

    def _peek(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        return match[1] if match else ""

    def _take(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._next()
        return True

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise ValueError(f"{token!r} expected, {found!r} found before {self._text[self._at : self._at + 40]!r}")


def _string(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token[0] == "'" else token
