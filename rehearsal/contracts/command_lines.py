"""Command lines that are emulated: the manifest that oclif writes into a package, and the GraphQL fragments whose fields it prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rehearsal.contracts.fetch import FETCH_COMMAND, ContractUnavailable, cached
from rehearsal.contracts.sources import Source

EAS = Source(
    name="eas",
    package="eas-cli",
    version="24.8.0",
    registry="npm",
    member="package/oclif.manifest.json",
    form="oclif",
    sha256="12fc2a16931df164e0cfe287475fc880c88d63f48a7f3fc8334a592f85aba160",
    closed_answers=True,
)
EAS_BUILD = replace(
    EAS,
    name="eas-build",
    member="package/build/graphql/types/Build.js",
    form="fragment",
    sha256="3d287c0a62502b557a3fdb187eefe072d8549aea656074227e09a7eaf1e12c1b",
)
EAS_UPDATE = replace(
    EAS_BUILD,
    name="eas-update",
    member="package/build/graphql/types/Update.js",
    sha256="e1b3c7579fd2b3a6461cc9d3309cde6b8d311c091757932bf6ec032b8e3741b5",
)
COMMAND_LINES = (EAS, EAS_BUILD, EAS_UPDATE)

Fields = dict[str, "Fields"]
"""Name of a field -> what is asked for of it; empty where it is a value."""


def manifest(source: Source) -> dict[str, Any]:
    """`commands` by name, each with `aliases`, `args` and `flags`. Raises ContractUnavailable when it was not fetched."""
    commands: dict[str, Any] = json.loads(_text(source))["commands"]
    return commands


def fragment(source: Source, name: str) -> Fields:
    """The fields of a fragment, those of every type together. Raises ContractUnavailable, KeyError."""
    found = re.search(rf"fragment {name} on \w+ ({{.*?\n  }})", _text(source), re.DOTALL)
    if found is None:
        raise KeyError(name)
    tokens = iter(re.findall(r"\.\.\. on \w+|\w+|[{}]", found.group(1)))
    next(tokens)
    return _fields(tokens)


def _fields(tokens: Iterator[str]) -> Fields:
    """Up to the closing brace."""
    fields: Fields = {}
    last = ""
    for token in tokens:
        if token == "}":
            break
        if token == "{":
            inner = _fields(tokens)
            if last.startswith("..."):
                fields.update(inner)
            else:
                fields[last] = inner
        elif not token.startswith("..."):
            fields[token] = {}
        last = token
    return fields


def _text(source: Source) -> str:
    file = cached(source)
    if not file.exists():
        raise ContractUnavailable(
            f"The command line of {source.name} ({source.package} {source.version}) is not here, so nothing can be checked "
            f"against it. Get it with `make setup` or `{FETCH_COMMAND}`."
        )
    return file.read_text()
