"""Keep secrets out of everything that is stored or shown."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable

STARS = "***"
_SHORTEST_ENCODED = 4
"""An encoded form shorter than this would hide ordinary text."""


class Masker:
    """Replaces known secrets, each of their lines and their usual encodings by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide a value from now on: whole, line by line, in base64 at any alignment, URL- and JSON-encoded."""
        before = len(self._forms)
        for value in {secret, *secret.splitlines()}:
            if value.strip():
                self._forms |= _forms(value)
        if len(self._forms) != before:
            self._pattern = None

    def mask(self, text: str) -> str:
        return self._compiled().sub(STARS, text) if self.reveals(text) else text

    def reveals(self, text: str) -> bool:
        """Whether `text` holds a secret."""
        # Hardly any text does, and to compile a pattern of hundreds of forms takes as long as to look through thousands of lines so.
        return any(form in text for form in self._forms)

    def _compiled(self) -> re.Pattern[str]:
        if self._pattern is None:
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(form) for form in longest_first))
        return self._pattern


def _forms(value: str) -> set[str]:
    encoded = {urllib.parse.quote(value, safe=""), json.dumps(value)[1:-1], *_base64_forms(value.encode())}
    return {value} | {form for form in encoded if len(form) >= _SHORTEST_ENCODED}


def _base64_forms(value: bytes) -> set[str]:
    """Base64 of the value wherever it starts within a longer encoded text: three alignments, ends trimmed."""
    forms = {base64.b64encode(value).decode()}
    for shift in range(3):
        # Characters that also hold bits of the neighbours cannot be known: leave them out at both ends.
        start = (0, 2, 3)[shift]
        whole_characters = (shift + len(value)) * 8 // 6
        forms.add(base64.b64encode(b"\0" * shift + value).decode()[start:whole_characters])
    return {form for form in forms if len(form) >= 2 * _SHORTEST_ENCODED}
