"""JSON Schema validators over a contract's definitions, and complaints a person can read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jsonschema.validators import extend  # type: ignore[import-untyped]
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from rehearsal.contracts import closing, extract
from rehearsal.contracts.description import OPEN, Schema, references

_MOST_PROBLEMS = 10
_LONGEST_PROBLEM = 400
_MOST_KNOWN = 100_000
"""Values that are remembered as what their definition allows; all are forgotten when there are more."""

# jsonschema ships no types; these are its Validator and its ValidationError.
Validator = Any
_Error = Any


class Schemas:
    """Validators over the definitions of one contract, which are read and closed as they are reached."""

    def __init__(self, stored: extract.Extract) -> None:
        self._stored = stored
        self._open: dict[str, Schema] = {}
        self._registry: Registry[Any] = Registry()
        self._present: set[str] = set()
        self._good: set[tuple[str, bytes]] = set()
        """(definition, digest of a value) of what passed: an emulator says the same of a user, a run or a release again and again."""
        self._kind: Validator = extend(OAS31Validator, {"$ref": self._referred})

    def validator(self, schema: Schema, *, closed: bool) -> Validator:
        root = closing.close(schema, self._definition) if closed else schema
        self._add(root)
        return self._kind(root, registry=self._registry, format_checker=oas31_format_checker)

    def _referred(self, validator: Validator, uri: str, value: Any, schema: Schema) -> Iterator[_Error]:
        """`$ref`, of which an URI names one definition: what passed it once is not walked through again."""
        seen = (uri, hashlib.sha1(json.dumps(value).encode(), usedforsecurity=False).digest())
        if seen in self._good:
            return
        wrong = False
        for error in OAS31Validator.VALIDATORS["$ref"](validator, uri, value, schema):
            wrong = True
            yield error
        if not wrong:
            if len(self._good) >= _MOST_KNOWN:
                self._good.clear()
            self._good.add(seen)

    def _definition(self, name: str) -> Schema:
        if name not in self._open:
            self._open[name] = self._stored.definition(name)
        return self._open[name]

    def _add(self, root: Schema) -> None:
        """Put everything `root` reaches into the registry."""
        reached: list[tuple[str, Resource[Any]]] = []
        waiting = list(references(root))
        while waiting:
            uri = waiting.pop()
            if uri in self._present:
                continue
            self._present.add(uri)
            schema = self._at(uri)
            reached.append((uri, DRAFT202012.create_resource(schema)))
            waiting += references(schema)
        self._registry = self._registry.with_resources(reached)

    def _at(self, uri: str) -> Schema:
        if uri.startswith(OPEN):
            return self._definition(uri.removeprefix(OPEN))
        return closing.close(self._definition(uri.removeprefix(closing.CLOSED)), self._definition)


def problems_of(validator: Validator, value: Any, at: str) -> list[str]:
    errors = islice(validator.iter_errors(value), _MOST_PROBLEMS)
    return [_sentence(_innermost(error), at) for error in errors]


def _innermost(error: _Error) -> _Error:
    """Of alternatives (anyOf, oneOf) the first complaint of the one that fits best; any other error itself."""
    branches: dict[Any, list[_Error]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    if not branches:
        return error
    nearest = min(branches.values(), key=lambda found: (-max(len(e.absolute_path) for e in found), len(found)))
    return _innermost(nearest[0])


def _sentence(error: _Error, at: str) -> str:
    message: str = error.message
    if error.validator == "oneOf":
        message = "fits several of the alternatives, and must fit one"
    if len(message) > _LONGEST_PROBLEM:
        message = f"{message[:_LONGEST_PROBLEM]} … (shortened)"
    return "/".join([at, *(str(step) for step in error.absolute_path)]) + ": " + message
