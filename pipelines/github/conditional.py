"""Documents that were read before, kept for as long as the process lives: GitHub answers 304 when they are the same, at no cost.

Source: docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api (conditional requests)
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

KEPT = 256
LARGEST = 1_000_000
"""Bytes; a larger document is asked for anew."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """The body of an answer, and what GitHub calls this state of it."""

    etag: str
    body: bytes


class Documents:
    """By path, the last used ones. Safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, path: str) -> Document | None:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
            return self._kept.get(path)

    def keep(self, path: str, etag: str, body: bytes) -> None:
        """Without an ETag, or too large, it is not kept."""
        if not etag or len(body) > LARGEST:
            return
        with self._lock:
            self._kept[path] = Document(etag=etag, body=body)
            self._kept.move_to_end(path)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
