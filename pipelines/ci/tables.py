"""Markdown of a report, with text from outside that stays text: no mention, link, image, HTML or column can come of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are markdown, on one line each."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(cell.replace(chr(10), ' ') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def code(text: str) -> str:
    """Text from outside as a code span for a table cell: GitHub reads a pipe there as a column, even inside a code span."""
    plain = re.sub(r"\s+", " ", text).strip().replace("|", "\\|")
    if not plain:
        return ""
    fence = "`" * (max((len(run) for run in re.findall(r"`+", plain)), default=0) + 1)
    space = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{space}{plain}{space}{fence}"


def cell(text: str) -> str:
    """Text from outside as it is when it is plain words, else as a code span."""
    return text if re.fullmatch(r"[\w ().,:/+-]*", text, re.ASCII) and "://" not in text else code(text)


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`"""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"
