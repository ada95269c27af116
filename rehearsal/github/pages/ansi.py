"""Terminal colours in logs (ECMA-48 SGR) as classes; every other control sequence is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup

from rehearsal.github.pages.markdown import linked

_SEQUENCE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # other control sequences: cursor, erase
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # titles, hyperlinks and the like, to their end
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]"
)
_STYLES = {1: "b", 2: "dim", 3: "i", 4: "u"}
_ENDS = {22: {"b", "dim"}, 23: {"i"}, 24: {"u"}}
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def render(line: str) -> Markup:
    """One line of a log as HTML: colours as spans, web addresses as links, everything else escaped."""
    parts: list[str] = []
    for text, classes in _runs(line):
        html = linked(text)
        parts.append(f'<span class="{" ".join(sorted(classes))}">{html}</span>' if classes else html)
    return Markup("".join(parts))  # noqa: S704 - `linked` escapes


def plain(line: str) -> str:
    """The line without any control sequence."""
    return "".join(text for text, _ in _runs(line))


def _runs(line: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Pieces of text with the classes they are shown in."""
    classes: set[str] = set()
    end = 0
    for match in _SEQUENCE.finditer(line):
        if match.start() > end:
            yield line[end : match.start()], frozenset(classes)
        end = match.end()
        if match["sgr"] is not None:
            _apply(match["sgr"], classes)
    if end < len(line):
        yield line[end:], frozenset(classes)


def _apply(parameters: str, classes: set[str]) -> None:
    codes = [int(code) if code else 0 for code in re.split("[;:]", parameters)[:16]]
    position = 0
    while position < len(codes):
        code = codes[position]
        if code in (38, 48):  # 256 colours and true colours: the first sixteen are known, the rest is left plain
            position += _extended(codes[position:], classes)
            continue
        _apply_one(code, classes)
        position += 1


def _apply_one(code: int, classes: set[str]) -> None:
    if code == 0:
        classes.clear()
    elif code in _STYLES:
        classes.add(_STYLES[code])
    elif code in _ENDS:
        classes -= _ENDS[code]
    elif code == 39:
        _recolour(classes, None)
    elif 30 <= code <= 37:
        _recolour(classes, _COLOURS[code - 30])
    elif 90 <= code <= 97:
        _recolour(classes, _COLOURS[code - 90])


def _extended(codes: list[int], classes: set[str]) -> int:
    """Apply `38;5;n`; returns how many codes it took."""
    if len(codes) >= 3 and codes[1] == 5:
        if codes[0] == 38:
            _recolour(classes, _COLOURS[codes[2] % 8] if codes[2] < 16 else None)
        return 3
    return 5 if len(codes) > 1 and codes[1] == 2 else len(codes)


def _recolour(classes: set[str], colour: str | None) -> None:
    classes -= {f"c-{name}" for name in _COLOURS}
    if colour is not None:
        classes.add(f"c-{colour}")
