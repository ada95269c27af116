"""One operation of a provider's interface, and what is wrong with a request or an answer of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.contracts.description import OperationDescription, Schema
from rehearsal.contracts.exceptions import is_exempt
from rehearsal.contracts.sources import Source
from rehearsal.contracts.validation import Schemas, Validator, problems_of


class Operation:
    """One method on one path."""

    def __init__(self, described: OperationDescription, source: Source, schemas: Schemas) -> None:
        self.described = described
        self._source = source
        self._schemas = schemas
        self._validators: dict[str, Validator] = {}

    @property
    def method(self) -> str:
        return self.described.method

    @property
    def path(self) -> str:
        return self.described.path

    def check_request(self, query: Mapping[str, Sequence[str]], body: Any) -> list[str]:
        """What is wrong with a request, one sentence each; `body` is parsed JSON, None when there is none."""
        problems = [*self._query_problems(query)]
        if self.described.request is not None and body is not None:
            problems += problems_of(self._validator("request", self.described.request, closed=True), body, "body")
        elif self.described.request_required and body is None:
            problems.append("body: is required")
        elif body is not None and not self.described.takes_bytes:
            # GitHub's clients send an empty object where nothing is asked for.
            problems += [] if body in ({}, "") else ["body: this operation takes none"]
        return [p for p in problems if not is_exempt(self._source.name, "request", self.method, self.path, p)]

    def check_answer(self, status: int, body: Any) -> list[str]:
        """What is wrong with an answer; `body` is parsed JSON, None when it is empty or something else.

        Failures (4xx, 5xx) that the description does not list pass: no provider lists all of them.
        """
        known = self.described.answers
        key = next((k for k in (str(status), f"{status // 100}XX", "default") if k in known), None)
        if key is None:
            problems = [] if status >= 400 else [f"status {status}: described are {', '.join(sorted(known))}"]
        elif (schema := known[key]) is None:
            problems = []
        else:
            problems = self._body_problems(f"answer {key}", schema, status, body)
        return [p for p in problems if not is_exempt(self._source.name, "answer", self.method, self.path, p)]

    def _body_problems(self, use: str, schema: Schema, status: int, body: Any) -> list[str]:
        validator = self._validator(use, schema, closed=self._source.closed_answers)
        if body is not None:
            return problems_of(validator, body, "body")
        # GitHub describes some empty answers as an object that holds nothing.
        empty = not self._source.closed_answers and validator.is_valid({})
        return [] if empty else [f"body: an answer {status} has one"]

    def _query_problems(self, query: Mapping[str, Sequence[str]]) -> Iterator[str]:
        for name, values in query.items():
            schema = self.described.query.get(name.removesuffix("[]"))
            if schema is None:
                yield f"query/{name}: is not known here; known are {', '.join(sorted(self.described.query)) or 'none'}"
            else:
                validator = self._validator(f"query {name}", schema, closed=False)
                yield from problems_of(validator, _typed(values, schema), f"query/{name}")
        for name in self.described.query_required:
            if name not in query:
                yield f"query/{name}: is required"

    def _validator(self, use: str, schema: Schema, *, closed: bool) -> Validator:
        if use not in self._validators:
            self._validators[use] = self._schemas.validator(schema, closed=closed)
        return self._validators[use]


def _typed(values: Sequence[str], schema: Schema) -> Any:
    """Query text as the JSON value its schema speaks of; text that is no such value stays text, and so fails there."""
    kinds = schema.get("type", "string")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds:
        items = schema.get("items", {})
        parts = values[0].split(",") if len(values) == 1 else list(values)
        return [_typed([part], items) for part in parts]
    text = values[-1]
    if "integer" in kinds and re.fullmatch(r"-?\d+", text):
        return int(text)
    if "number" in kinds and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text
