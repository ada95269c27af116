"""Unified diffs as rows of a table, with what checks say about single lines between them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rehearsal.github.checks.state import CheckAnnotation, CheckRun
from rehearsal.github.git.history import FileChange

MOST_ROWS = 1_500
"""Of one file."""
MOST_FILES = 200
_MOST_CHARACTERS = 1_000
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What a check says about a line."""

    check: str
    annotation: CheckAnnotation

    @property
    def tone(self) -> str:
        return {"failure": "bad", "warning": "wait"}.get(self.annotation.level, "note")


@dataclass(frozen=True, kw_only=True)
class Row:
    kind: str
    """add, del, same or hunk"""
    text: str
    old: int | None = None
    new: int | None = None
    remarks: Sequence[Remark] = ()
    """To be shown under it."""


@dataclass(frozen=True, kw_only=True)
class FileDiff:
    change: FileChange
    rows: Sequence[Row]
    cut: int
    """Rows that are not shown."""
    elsewhere: Sequence[Remark]
    """About lines that the diff does not show."""

    @property
    def anchor(self) -> str:
        return f"file-{hashlib.sha256(self.change.path.encode()).hexdigest()[:12]}"

    @property
    def long(self) -> bool:
        return len(self.rows) > 400


def read(change: FileChange, remarks: Sequence[Remark] = ()) -> FileDiff:
    """The diff of one file with the remarks on its new lines."""
    at_line: dict[int, list[Remark]] = {}
    for remark in remarks:
        at_line.setdefault(max(remark.annotation.end_line, remark.annotation.start_line, 1), []).append(remark)
    rows = _rows((change.patch or "").split("\n") if change.patch else [], at_line)
    shown = {id(remark) for row in rows[:MOST_ROWS] for remark in row.remarks}
    return FileDiff(
        change=change,
        rows=rows[:MOST_ROWS],
        cut=max(0, len(rows) - MOST_ROWS),
        elsewhere=[remark for remark in remarks if id(remark) not in shown],
    )


def remarks_by_path(checks: Sequence[CheckRun]) -> Mapping[str, list[Remark]]:
    found: dict[str, list[Remark]] = {}
    for check in checks:
        for annotation in check.annotations:
            found.setdefault(annotation.path, []).append(Remark(check=check.name, annotation=annotation))
    return found


def _rows(lines: Sequence[str], remarks: Mapping[int, Sequence[Remark]]) -> list[Row]:
    rows: list[Row] = []
    old = new = 0
    for line in lines:
        sign, text = line[:1], line[1 : _MOST_CHARACTERS + 1]
        hunk = _HUNK.match(line)
        if hunk is not None:
            old, new = int(hunk[1]), int(hunk[2])
            rows.append(Row(kind="hunk", text=line[:_MOST_CHARACTERS]))
        elif sign == "+":
            rows.append(Row(kind="add", text=text, new=new, remarks=remarks.get(new, ())))
            new += 1
        elif sign == "-":
            rows.append(Row(kind="del", text=text, old=old))
            old += 1
        elif sign == "\\":
            rows.append(Row(kind="same", text=line))
        else:
            rows.append(Row(kind="same", text=text, old=old, new=new, remarks=remarks.get(new, ())))
            old, new = old + 1, new + 1
    return rows


def file_diffs(changed: Sequence[FileChange], remarks: Mapping[str, Sequence[Remark]]) -> list[FileDiff]:
    """What is shown of a list of changes, each file with the remarks about it."""
    return [read(change, remarks.get(change.path, ())) for change in changed[:MOST_FILES]]
