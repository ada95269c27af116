"""The neutral form of a description in a small SQLite file, so that a contract costs only what is asked of it.

GitHub's description is 80 MB of Python objects when loaded whole; the emulators serve a tenth of it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rehearsal.contracts.description import Description, OperationDescription, Schema

FORMAT = 2
"""Raise it when the conversion changes, so that older extracts are made again."""

_TABLES = """
CREATE TABLE operations (id INTEGER PRIMARY KEY, method TEXT, path TEXT, pattern TEXT, body TEXT);
CREATE TABLE definitions (name TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID;
"""


def write(description: Description, target: Path) -> None:
    """Write the extract; it appears whole or not at all."""
    descriptor, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
    os.close(descriptor)
    store = sqlite3.connect(part)
    with store:
        store.executescript(_TABLES)
        store.executemany(
            "INSERT INTO operations (method, path, pattern, body) VALUES (?, ?, ?, ?)",
            ((o.method, o.path, o.pattern, _compact(asdict(o))) for o in description.operations),
        )
        store.executemany(
            "INSERT INTO definitions VALUES (?, ?)",
            ((name, _compact(schema)) for name, schema in description.definitions.items()),
        )
    store.close()
    Path(part).replace(target)


class Extract:
    """An extract on disk, read piece by piece. One thread at a time may use it."""

    def __init__(self, path: Path) -> None:
        self._store = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False)

    def patterns(self) -> list[tuple[int, str, str, str]]:
        """(id, method, path template, pattern) of every operation."""
        return self._store.execute("SELECT id, method, path, pattern FROM operations").fetchall()

    def operation(self, number: int) -> OperationDescription:
        """The operation with this id."""
        [row] = self._store.execute("SELECT body FROM operations WHERE id = ?", (number,)).fetchall()
        fields: dict[str, Any] = json.loads(row[0])
        fields["query_required"] = tuple(fields["query_required"])
        return OperationDescription(**fields)

    def definition(self, name: str) -> Schema:
        """A named schema. Raises KeyError for a name the description does not hold."""
        row = self._store.execute("SELECT body FROM definitions WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise KeyError(name)
        schema: Schema = json.loads(row[0])
        return schema

    def close(self) -> None:
        self._store.close()


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
