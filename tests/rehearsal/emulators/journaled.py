"""Entries of a journal, as emulators read them back."""

from __future__ import annotations

from typing import Any

from rehearsal.journal import Entry


def entry(method: str, path: str, request: Any = None, **more: Any) -> Entry:
    given: dict[str, Any] = {
        "number": 1,
        "time": 100.0,
        "emulator": "any",
        "method": method,
        "host": "",
        "path": path,
        "query": "",
        "status": 200,
        "seconds": 0.1,
        "request_bytes": 1,
        "request_sha256": None,
        "request": request,
        "answer_bytes": 1,
    }
    return Entry(**(given | more))
