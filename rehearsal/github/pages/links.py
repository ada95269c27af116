"""Where the links of a Markdown file of a repository lead, and the anchors of its headings."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

ANCHOR = "user-content-"
"""Before the anchors of a text that users wrote: they are never those of the page around it."""
_LINE = re.compile(r"L\d+")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A file of a repository."""

    home: str
    """/owner/name"""
    ref: str
    path: str
    """Of the file, without a slash at its start."""

    def resolve(self, address: str) -> str:
        """The address of what the file means by it: beside it, from the root of the repository with a slash, or elsewhere as it is."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return address
        if parts.scheme or parts.netloc:
            return address
        fragment = f"#{_anchor(parts.fragment)}" if parts.fragment else ""
        if not parts.path:
            return fragment or address
        wanted = unquote(parts.path)
        folder = "" if wanted.startswith("/") else posixpath.dirname(self.path)
        # Joined below the root, so that nothing leads above it.
        inside = posixpath.normpath(posixpath.join("/", folder, wanted.lstrip("/"))).strip("/")
        return quote(f"{self.home}/blob/{self.ref}/{inside}".rstrip("/")) + fragment


@dataclass(kw_only=True)
class Anchors:
    """The anchors of one text, each of its own."""

    used: Counter[str] = field(default_factory=Counter)

    def add(self, heading: str) -> str:
        """The anchor of a heading: its words in small letters, with hyphens; a second one is numbered, as on GitHub."""
        name = _NOT_IN_ANCHORS.sub("", heading.strip().lower()).replace(" ", "-")
        number = self.used[name]
        self.used[name] += 1
        return f"{ANCHOR}{name}-{number}" if number else f"{ANCHOR}{name}"


def _anchor(fragment: str) -> str:
    return fragment if _LINE.match(fragment) or fragment.startswith(ANCHOR) else f"{ANCHOR}{fragment}"
