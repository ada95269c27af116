"""The schema and the reference page of report.json, made from model.py: `python -m rehearsal.report.schema --write`."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import json
import sys
import types
import typing
from pathlib import Path
from typing import Any, get_args, get_origin

from rehearsal.report import model

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA, REFERENCE = DOCS / "report.schema.json", DOCS / "REPORT.md"
PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}

INTRODUCTION = """# The report of a rehearsal

`shipmate rehearse` (and `make rehearse`) writes three things to `rehearsal-report/`:

| file | is |
|---|---|
| `index.html` | the report for people: one file, screenshots and plots included; it loads nothing and runs no script |
| `report.json` | the same as data; its schema is [report.schema.json](report.schema.json) (JSON Schema 2020-12) |
| `screenshots/` | the screenshots, as PNG |

`jq '.stories[] | select(.passed | not) | {name, problem}' rehearsal-report/report.json` names what failed.
`shipmate rehearse --json` prints only the outcome.

Times are seconds since the epoch; lengths of time are seconds, except `ms`. A new field may appear at any time; when one goes or changes
its meaning, `version` is raised.

Below is every field, generated from `rehearsal/report/model.py` by `python -m rehearsal.report.schema --write`; do not edit.
"""


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of report.json."""
    definitions = {kind.__name__: _record(kind) for kind in kinds()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json",
        "description": "Generated from rehearsal/report/model.py by `python -m rehearsal.report.schema --write`.",
        "$ref": "#/$defs/Report",
        "$defs": definitions,
    }


def reference() -> str:
    """The reference page: an introduction, then a table for each type."""
    return "\n".join([INTRODUCTION, *(_chapter(kind) for kind in kinds())])


def kinds() -> list[Any]:
    """The model's types, the whole first, then in the order in which one leads to the next."""
    found: list[Any] = [model.Report]
    for kind in found:
        for hint in typing.get_type_hints(kind).values():
            found += [inner for inner in _records_in(hint) if inner not in found]
    return found


def documentation(kind: Any) -> dict[str, str]:
    """Field -> the text that stands below it in the source."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    if not isinstance(body, ast.ClassDef):
        raise TypeError(f"{kind} is no class")
    found: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            found[field.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return found


def _record(kind: Any) -> dict[str, Any]:
    hints, texts = typing.get_type_hints(kind), documentation(kind)
    fields = [field.name for field in dataclasses.fields(kind)]
    return {
        "type": "object",
        "description": inspect.getdoc(kind),
        "properties": {name: {"description": texts.get(name, ""), **_schema(hints[name])} for name in fields},
        "required": fields,
        "additionalProperties": False,
    }


def _schema(hint: Any) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(member) for member in arguments]}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": True if arguments[1] is Any else _schema(arguments[1])}
    if dataclasses.is_dataclass(hint):
        return {"$ref": f"#/$defs/{getattr(hint, '__name__', hint)}"}
    return {"type": PLAIN[hint]}


def _records_in(hint: Any) -> list[Any]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return [hint]
    return [record for argument in get_args(hint) for record in _records_in(argument)]


def _chapter(kind: Any) -> str:
    hints, texts = typing.get_type_hints(kind), documentation(kind)
    rows = [
        f"| `{field.name}` | {_shown(hints[field.name])} | {texts.get(field.name, '')} |"
        for field in dataclasses.fields(kind)
    ]
    head = [f"## {kind.__name__}", "", str(inspect.getdoc(kind)), "", "| field | type | meaning |", "|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _shown(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_shown(member) for member in arguments)
    if origin is list:
        return f"list of {_shown(arguments[0])}"
    if origin is dict:
        return "object" if arguments[1] is Any else f"mapping to {_shown(arguments[1])}"
    if dataclasses.is_dataclass(hint):
        name = str(getattr(hint, "__name__", hint))
        return f"[{name}](#{name.lower()})"
    return PLAIN[hint]


def main(argv: list[str] | None = None) -> int:
    """Print the schema, or write both files."""
    parser = argparse.ArgumentParser(prog="rehearsal.report.schema", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/report.schema.json and docs/REPORT.md")
    text = json.dumps(json_schema(), indent=2) + "\n"
    if not parser.parse_args(argv).write:
        sys.stdout.write(text)
        return 0
    SCHEMA.write_text(text)
    REFERENCE.write_text(reference())
    return 0


if __name__ == "__main__":
    sys.exit(main())
