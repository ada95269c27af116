"""A provider's interface as something requests and answers can be held against."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.contracts import discovery, extract, hey_api, openapi, speakeasy, typescript
from rehearsal.contracts.description import Description
from rehearsal.contracts.fetch import FETCH_COMMAND, ContractUnavailable, cached
from rehearsal.contracts.operation import Operation
from rehearsal.contracts.sources import SOURCES, Source
from rehearsal.contracts.validation import Schemas

_READERS = {
    "discovery": discovery.describe,
    "hey-api": hey_api.describe,
    "openapi": openapi.describe,
    "typescript": typescript.describe,
    "zod": speakeasy.describe,
}


def load(name: str) -> Contract:
    """The contract of one provider, by its name in `sources.SOURCES`. Milliseconds.

    Raises ContractUnavailable, naming the command that gets it, when the description was not fetched yet.
    """
    source = SOURCES[name]
    return _open(name, prepare(source))


def prepare(source: Source) -> Path:
    """The extract of a fetched description, made when it is not there yet (seconds for GitHub's)."""
    original = cached(source)
    target = original.with_name(f"extract-{extract.FORMAT}.sqlite")
    if target.exists():
        return target
    if not original.exists():
        raise ContractUnavailable(
            f"The description of {source.name} ({source.package} {source.version}) is not here, so nothing can be "
            f"checked against it. Get it with `make setup` or `{FETCH_COMMAND}`."
        )
    extract.write(describe(source, json.loads(original.read_bytes())), target)
    return target


def describe(source: Source, document: Any) -> Description:
    """A provider's document in the neutral form."""
    return _READERS[source.form](document)


@cache
def _open(name: str, path: Path) -> Contract:
    return Contract(SOURCES[name], extract.Extract(path))


class Contract:
    """The operations of one provider. Use it from one thread at a time."""

    def __init__(self, source: Source, stored: extract.Extract) -> None:
        self.source = source
        self._stored = stored
        self._patterns = [_Pattern(*row) for row in stored.patterns()]
        self._first_segments = {pattern.path.split("/")[1] for pattern in self._patterns}
        self._operations: dict[int, Operation] = {}
        self._schemas = Schemas(stored)

    @property
    def name(self) -> str:
        return self.source.name

    def covers(self, path: str) -> bool:
        """True if the path belongs to the interface at all. Where one address serves pages too, those do not."""
        if not path.startswith(self.source.below):
            return False
        return not self.source.beside_pages or path.split("/")[1] in self._first_segments

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation that answers this method on this raw (percent-encoded) path, the most literal if several do."""
        method = "GET" if method == "HEAD" else method
        matching = [pattern for pattern in self._patterns if pattern.matches(method, path)]
        if not matching:
            return None
        chosen = max(matching, key=lambda pattern: pattern.literal)
        if chosen.number not in self._operations:
            described = self._stored.operation(chosen.number)
            self._operations[chosen.number] = Operation(described, self.source, self._schemas)
        return self._operations[chosen.number]

    def paths(self) -> list[tuple[str, str]]:
        """(method, path template) of everything described."""
        return [(pattern.method, pattern.path) for pattern in self._patterns]


class _Pattern:
    """One path template; its expression is compiled when a path could match at all."""

    def __init__(self, number: int, method: str, path: str, pattern: str) -> None:
        self.number, self.method, self.path = number, method, path
        self.literal = len(re.sub(r"\{[^}]*\}", "", path))
        self._pattern = pattern
        self._prefix = path.partition("{")[0]
        self._suffix = path.rpartition("}")[2]
        self._compiled: re.Pattern[str] | None = None

    def matches(self, method: str, path: str) -> bool:
        if method != self.method or not path.startswith(self._prefix) or not path.endswith(self._suffix):
            return False
        if self._compiled is None:
            self._compiled = re.compile(self._pattern)
        return self._compiled.fullmatch(path) is not None
