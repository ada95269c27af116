"""What a tool complains about, as places in files: read from the lines that ruff, mypy, tsc and vitest print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One complaint. `file` is relative to the root and exists there; empty when no place is known."""

    file: str
    line: int
    title: str
    message: str


def by_place(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Those about one line together, however many tools complain; each without a place alone."""
    places: dict[object, list[Finding]] = {}
    for finding in findings:
        places.setdefault((finding.file, finding.line) if finding.file else finding, []).append(finding)
    return list(places.values())


_FIXABLE = re.compile(r"[A-Z]+\d+")
"""What ruff calls its rules; it marks with [*] what it can fix itself."""


def fix_of(finding: Finding, check: str) -> str:
    """The command that fixes it, or else the one that shows it again."""
    if finding.title == "unformatted" or finding.message == "Would reformat":
        return f"ruff format {shlex.quote(finding.file)}"
    if _FIXABLE.fullmatch(finding.title) and finding.message.startswith("[*]"):
        return f"ruff check --fix {shlex.quote(finding.file)}"
    return f"shipmate ci run {check}"


_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LINES = (
    # ruff check and ruff format --check, with --output-format concise
    re.compile(
        r"(?P<file>[^:\s][^:]*):(?P<line>\d+):\d+: (?P<title>[A-Z]+\d+|SyntaxError|invalid-syntax|unformatted):? (?P<message>.+)"
    ),
    # mypy
    re.compile(r"(?P<file>[^:\s][^:]*):(?P<line>\d+):(?:\d+:)? error: (?P<message>.+?)(?:  \[(?P<title>[\w-]+)\])?"),
    # tsc --pretty false
    re.compile(r"(?P<file>[^(\s][^(]*)\((?P<line>\d+),\d+\): error (?P<title>TS\d+): (?P<message>.+)"),
    # ruff format --check of an older ruff
    re.compile(r"(?P<message>Would reformat): (?P<file>.+)"),
)
_COMMAND = re.compile(r"::error (?P<properties>[^:]*(?::(?!:)[^:]*)*)::(?P<message>.*)")


class Reader:
    """Reads a tool's output line by line. `folders` are where relative names may start: the root, and those of sub-projects."""

    def __init__(self, root: Path, folders: Sequence[str] = (), limit: int = 200) -> None:
        self.root = root.resolve()
        self.places = [self.root, *(self.root / folder for folder in folders)]
        self.limit = limit
        self.findings: list[Finding] = []

    def read(self, line: str) -> None:
        if len(self.findings) >= self.limit or len(line) > 4000:
            return
        plain = _COLOUR.sub("", line).strip()
        found = self._command(plain) if plain.startswith("::error ") else self._plain(plain)
        if found is not None and found not in self.findings:
            self.findings.append(found)

    def _plain(self, line: str) -> Finding | None:
        for pattern in _LINES:
            match = pattern.fullmatch(line)
            if match is None:
                continue
            parts = {"line": "0", "title": "", **{k: v for k, v in match.groupdict().items() if v is not None}}
            file = self.place(parts["file"])
            if file:
                return Finding(file=file, line=int(parts["line"]), title=parts["title"], message=parts["message"])
        return None

    def _command(self, line: str) -> Finding | None:
        """The annotation a reporter wrote for GitHub (vitest does); one without a file of ours is only text."""
        match = _COMMAND.fullmatch(line)
        if match is None:
            return None
        properties = dict(pair.split("=", 1) for pair in match["properties"].split(",") if "=" in pair)
        file = self.place(unquote(properties.get("file", "")))
        number = properties.get("line", "")
        if not file:
            return None
        message, title = unquote(match["message"]), unquote(properties.get("title", ""))
        return Finding(file=file, line=int(number) if number.isdigit() else 0, title=title, message=message)

    def place(self, name: str) -> str:
        """The file of the repository that a tool means, relative to the root; empty when there is none."""
        if not name or len(name) > 500 or "\0" in name or "node_modules" in name:
            return ""
        for folder in self.places:
            path = (folder / name.removeprefix("file://")).resolve()
            if path.is_relative_to(self.root) and path.is_file():
                return path.relative_to(self.root).as_posix()
        return ""


def places(text: str, reader: Reader) -> Iterable[tuple[str, int]]:
    """Every `file:line` of a stack trace that is a file of ours, in the order of the text."""
    for match in re.finditer(r"(?:file://)?([\w./@+-]+\.\w+):(\d+)", text[:100_000]):
        file = reader.place(match[1])
        if file:
            yield file, int(match[2])
