"""The JSON body of a request, read with the complaints GitHub has about wrong ones."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.github.problems import Problem


class Fields:
    """Typed access to a JSON object. Every reader raises Problem 422 for a value of another type."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def required_text(self, name: str) -> str:
        if name not in self.values or self.values[name] is None:
            raise Problem(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        return self.text(name)

    def text(self, name: str, default: str = "") -> str:
        found = self.maybe_text(name)
        return default if found is None else found

    def maybe_text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def flag(self, name: str, default: bool) -> bool:
        found = self.maybe_flag(name)
        return default if found is None else found

    def maybe_flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "a boolean")
        return value

    def number(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "an integer")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(name) if name in self.values or default is None else default
        if value not in allowed:
            raise Problem(422, f"Invalid request.\n\n{value!r} is not a possible value of {name!r}: {list(allowed)}.")
        return value

    def texts(self, name: str) -> list[str]:
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._wrong(name, "an array of strings")
        return value

    def maybe_texts(self, name: str) -> list[str] | None:
        return None if self.values.get(name) is None else self.texts(name)

    def objects(self, name: str) -> list[dict[str, Any]]:
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self._wrong(name, "an array of objects")
        return value

    def part(self, name: str) -> Fields | None:
        """An object inside, None when it is missing or null."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Fields(value)

    def _wrong(self, name: str, wanted: str) -> Problem:
        shown = json.dumps(self.values.get(name))[:80]
        return Problem(422, f"Invalid request.\n\nFor 'properties/{name}', {shown} is not {wanted}.")


def parse(raw: bytes) -> Fields:
    """Raises Problem 400 for a body that is no JSON object; an empty one has no fields."""
    if not raw.strip():
        return Fields({})
    try:
        values = json.loads(raw)
    except ValueError as error:
        raise Problem(400, "Problems parsing JSON") from error
    if not isinstance(values, dict):
        raise Problem(400, "Body should be a JSON object")
    return Fields(values)
