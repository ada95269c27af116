"""What the SDKs send: envelopes (https://develop.sentry.dev/sdk/data-model/envelopes/), compressed as they like."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any


class Unreadable(ValueError):
    """A body that is no envelope, or compressed in a way unknown here."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of an envelope."""

    type: str
    payload: Any
    """Parsed JSON; bytes where it is something else (attachments)."""


def decompress(body: bytes, encoding: str) -> bytes:
    """The body by its Content-Encoding. Raises Unreadable."""
    try:
        if encoding in ("", "identity"):
            return body
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "deflate":
            return zlib.decompress(body)
        if encoding == "br":
            return _brotli(body)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"the body is not {encoding}: {error}") from None
    raise Unreadable(f"content-encoding {encoding!r} is not known")


def _brotli(body: bytes) -> bytes:
    try:
        brotli: Any = import_module("brotli")
    except ImportError:
        raise Unreadable("content-encoding br cannot be read: the package brotli is not installed") from None
    try:
        content: bytes = brotli.decompress(body)
    except brotli.error as error:
        raise Unreadable(f"the body is not br: {error}") from None
    return content


def parse(body: bytes) -> tuple[dict[str, Any], list[Item]]:
    """(header, items) of an envelope. Raises Unreadable."""
    first, _, rest = body.partition(b"\n")
    header = _json(first)
    if not isinstance(header, dict):
        raise Unreadable("an envelope begins with a JSON object")
    return header, list(_items(rest))


def _items(rest: bytes) -> Iterator[Item]:
    while rest.strip():
        line, _, rest = rest.lstrip(b"\n").partition(b"\n")
        header = _json(line)
        if not isinstance(header, dict) or "type" not in header:
            raise Unreadable("an item begins with a JSON object that has a type")
        length = header.get("length")
        if length is None:
            payload, _, rest = rest.partition(b"\n")
        else:
            payload, rest = rest[:length], rest[length:]
            if len(payload) < length:
                raise Unreadable(f"an item says it has {length} bytes; {len(payload)} came")
        yield Item(type=str(header["type"]), payload=_maybe_json(payload))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None


def _maybe_json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload
