"""Source maps as files: read them, and move what they say of one line (https://tc39.es/ecma426/)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SOURCE_MAP = ".map"
"""How the names of source maps end."""
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def read(file: Path) -> dict[str, Any]:
    """A source map; empty for a file that is none, or of a form from before version 3."""
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return {}
    known = isinstance(found, dict) and found.get("version") == 3
    if known and (isinstance(found.get("mappings"), str) or isinstance(found.get("sections"), list)):
        return dict(found)
    return {}


def moved(document: dict[str, Any], *, line: int, column: int, by: int) -> dict[str, Any]:
    """The map of a script in which, on a line (from 0), everything from `column` on was moved `by` columns to the right.

    Raises ValueError for a map that is none.
    """
    try:
        return _moved(document, line, column, by)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"no source map: {error}") from error


def _moved(document: dict[str, Any], line: int, column: int, by: int) -> dict[str, Any]:
    if "sections" not in document:
        return {**document, "mappings": _moved_mappings(document["mappings"], line, column, by)}
    sections = [dict(section) for section in document["sections"]]
    for index, section in enumerate(sections):
        start = (section["offset"]["line"], section["offset"]["column"])
        following = sections[index + 1]["offset"] if index + 1 < len(sections) else None
        if start[0] == line and start[1] >= column:
            section["offset"] = {**section["offset"], "column": start[1] + by}
        elif start <= (line, column) and (
            following is None or (line, column) < (following["line"], following["column"])
        ):
            within = column - start[1] if start[0] == line else column
            section["map"] = _moved(section["map"], line - start[0], within, by)
    return {**document, "sections": sections}


def _moved_mappings(mappings: str, line: int, column: int, by: int) -> str:
    """Columns are written as differences, so only that of the first segment behind the place changes."""
    lines = mappings.split(";")
    if line >= len(lines):
        return mappings
    segments, at = lines[line].split(","), 0
    for index, segment in enumerate(segments):
        if not segment:
            continue
        difference, rest = _decoded(segment)
        at += difference
        if at >= column:
            segments[index] = _encoded(difference + by) + rest
            break
    lines[line] = ",".join(segments)
    return ";".join(lines)


def _decoded(segment: str) -> tuple[int, str]:
    """The first number of a segment (Base64 VLQ), and what follows it."""
    value = shift = index = 0
    while True:
        digit = _DIGITS.index(segment[index])
        index += 1
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            return (-(value >> 1) if value & 1 else value >> 1), segment[index:]


def _encoded(number: int) -> str:
    value, text = (-number << 1) | 1 if number < 0 else number << 1, ""
    while True:
        digit, value = value & 31, value >> 5
        text += _DIGITS[digit | (32 if value else 0)]
        if not value:
            return text
