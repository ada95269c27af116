"""Bodies of HTML forms (application/x-www-form-urlencoded)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from rehearsal.github.problems import Problem

_MOST_BYTES = 1 << 20
_MOST_FIELDS = 1_000


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a form sent, field by field."""

    values: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """One value, with the line ends of this system instead of the form's."""
        return self.values.get(name, [default])[-1].replace("\r\n", "\n")

    def all(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def below(self, prefix: str) -> dict[str, str]:
        """The fields that begin with a prefix, without it."""
        return {name.removeprefix(prefix): self.text(name) for name in self.values if name.startswith(prefix)}


async def read(request: Request) -> Form:
    """The form in a request. Raises Problem 413 for one that is too large, 400 for one that is no text."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise Problem(413, f"The form is larger than {_MOST_BYTES >> 20} MiB.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Problem(400, "The form could not be read.") from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return Form(values=values)
