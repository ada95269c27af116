"""What a secret looks like where it is not written as it was given: decoded, encoded, or as a part of an address or a JSON document.

GitHub's runner hides a value and its usual encodings (actions/runner, ValueEncoders); it cannot know what a value decodes to.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

_SHORTEST = 4
_SHORTEST_DERIVED = 6
"""A shorter part or encoding is an ordinary word: hidden, it would make the log unreadable."""
_NAMES = ("key", "password", "secret", "token")
"""How fields of a JSON document end that hold secrets (`private_key`, `client_secret`)."""


def values(secret: str) -> list[str]:
    """The lines of a secret, then those of what it decodes to and of its secret parts. Of each the runner hides the encodings itself."""
    derived = sorted({part for part in _parts(secret) if len(part) >= _SHORTEST_DERIVED})
    lines = (line for value in (secret, *derived) for line in value.splitlines())
    return list(dict.fromkeys(line for line in lines if len(line.strip()) >= _SHORTEST))


def forms(secret: str) -> set[str]:
    """`values`, and each of them encoded, alone and as a part of a longer text; also several lines as one."""
    whole = {value for value in (secret, *_parts(secret)) if len(value) >= _SHORTEST_DERIVED}
    encoded = {form for value in whole | set(values(secret)) for form in _encoded(value)}
    return {*values(secret), *(form for form in encoded if len(form) >= _SHORTEST_DERIVED and "\n" not in form)}


def _parts(secret: str) -> Iterator[str]:
    """What is in a secret, and what it decodes to."""
    yield from (unquote(secret), unquote_plus(secret))
    if " " in secret:
        yield quote_plus(secret)  # how a form writes it; of the encodings the one that GitHub's runner does not know
    if decoded := _decoded(secret):
        yield decoded
        yield from _fields(decoded)
    yield from _fields(secret)
    try:
        address = urlsplit(secret.strip())
        user, password = address.username or "", address.password or ""
    except ValueError:  # a malformed address: its password is still what stands between the last : and @
        user, _, password = secret.partition("://")[2].rpartition("@")[0].partition(":")
    if password:
        for pair in {(user, password), (unquote(user), unquote(password))}:
            yield pair[1]
            yield ":".join(pair)


def _fields(text: str) -> Iterator[str]:
    """The secret fields of a JSON object."""
    try:
        found = json.loads(text)
    except ValueError:
        return
    if isinstance(found, dict):
        yield from (value for name, value in found.items() if isinstance(value, str) and name.lower().endswith(_NAMES))


def _decoded(text: str) -> str:
    """Of base64, where that is text."""
    packed = "".join(text.split())
    try:
        plain = base64.b64decode(packed, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return plain if plain.replace("\n", "").replace("\r", "").isprintable() else ""


def _encoded(value: str) -> Iterator[str]:
    yield from (quote(value, safe=""), quote(value), quote_plus(value), json.dumps(value)[1:-1])
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    raw = value.encode("utf-8", "surrogatepass")
    yield base64.b64encode(raw).decode()
    yield base64.urlsafe_b64encode(raw).decode()
    # In `user:secret` and wherever else it begins within a longer text: without the characters that hold bits of its neighbours.
    for shift, begin in ((1, 2), (2, 3)):
        yield base64.b64encode(b"\0" * shift + raw).decode()[begin : (shift + len(raw)) * 8 // 6]
    yield base64.b64encode(raw).decode()[: len(raw) * 8 // 6]
