"""A typeface whose every character is the same block, so that a picture of a page is the same whichever fonts a machine has."""

from __future__ import annotations

import struct

_EM, _ADVANCE, _WIDTH, _HEIGHT = 1024, 512, 448, 512
_ASCENT, _DESCENT = 768, -256
_LAST = 0x10FFFF


def block_font() -> bytes:
    """A TrueType file: blanks are blank, everything else is a block; each is half an em wide."""
    tables = {
        b"OS/2": _metrics(),
        b"cmap": _characters(),
        b"glyf": _BLOCK,
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 11, _EM, 0, 0, 0, 0, _WIDTH, _HEIGHT, 0, 8, 2, 1, 0
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhhhhhhhH", 0x10000, _ASCENT, _DESCENT, 0, _ADVANCE, 0, 64, _WIDTH, 1, 0, 0, 0, 0, 0, 0, 0, 3
        ),
        b"hmtx": struct.pack(">HhHhHh", *(_ADVANCE, 0) * 3),
        # Glyphs 0 (of what is missing) and 1 (a blank) have no outline.
        b"loca": struct.pack(">IIII", 0, 0, 0, len(_BLOCK)),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 0x10000, 3, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
        b"name": _names({1: "Blocks", 2: "Regular", 4: "Blocks", 6: "Blocks"}),
        b"post": struct.pack(">IIhhIIIII", 0x30000, 0, 0, 0, 1, 0, 0, 0, 0),
    }
    return _file(tables)


_BLOCK = struct.pack(">hhhhh", 1, 0, 0, _WIDTH, _HEIGHT) + struct.pack(
    ">HH4BhhhhhhhhH", 3, 0, 1, 1, 1, 1, 0, 0, _WIDTH, 0, 0, _HEIGHT, 0, -_HEIGHT, 0
)
"""One contour of four points, the last two bytes filling up to a multiple of four."""


def _metrics() -> bytes:
    first = struct.pack(">HhHHHhhhhhhhhhhh", 4, _ADVANCE, 400, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    last = (64, 0x20, 0xFFFF, _ASCENT, _DESCENT, 0, _ASCENT, -_DESCENT, 0, 0, _HEIGHT, _HEIGHT, 0, 0x20, 0)
    return first + bytes(10) + struct.pack(">4I4sHHHhhhHHIIhhHHH", 0, 0, 0, 0, b"NONE", *last[:8], *last[8:])


def _characters() -> bytes:
    """Many to one (format 13): blanks are glyph 1, all others glyph 2."""
    groups = ((0, 0x20, 1), (0x21, _LAST, 2))
    table = struct.pack(">HHIII", 13, 0, 16 + 12 * len(groups), 0, len(groups))
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + table + b"".join(struct.pack(">III", *group) for group in groups)


def _names(given: dict[int, str]) -> bytes:
    records, text = b"", b""
    for number, value in given.items():
        encoded = value.encode("utf-16-be")
        records += struct.pack(">HHHHHH", 3, 1, 0x409, number, len(encoded), len(text))
        text += encoded
    return struct.pack(">HHH", 0, len(given), 6 + len(records)) + records + text


def _file(tables: dict[bytes, bytes]) -> bytes:
    power = 1 << (len(tables).bit_length() - 1)
    header = struct.pack(">IHHHH", 0x10000, len(tables), power * 16, power.bit_length() - 1, (len(tables) - power) * 16)
    entries, body, start = b"", b"", 12 + 16 * len(tables)
    for tag, content in tables.items():
        padded = content + bytes(-len(content) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        entries += tag + struct.pack(">III", total, start + len(body), len(content))
        body += padded
    return header + entries + body
