"""What COPY takes files from: a folder, less what .dockerignore leaves out.

Patterns as Docker has them: Go's filepath.Match and `**` (https://docs.docker.com/build/concepts/context/#dockerignore-files).
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path, PurePosixPath

_WILD = re.compile(r"[*?\[]")


class Context:
    """`paths`: everything below the folder that is not ignored, by its path in the context, in order."""

    def __init__(self, folder: Path, ignored: str = "") -> None:
        rules = _rules(ignored)
        found: dict[str, Path] = {}
        for at, folders, names in os.walk(folder):
            for name in (*folders, *names):
                path = Path(at) / name
                key = path.relative_to(folder).as_posix()
                if not _ignored(key, rules):
                    found[key] = path
        self.paths = dict(sorted(found.items()))

    def below(self, key: str) -> dict[str, Path]:
        """What lies below a folder of the context (`""`: all of it), by its path below that."""
        if not key:
            return self.paths
        return {path.removeprefix(f"{key}/"): file for path, file in self.paths.items() if path.startswith(f"{key}/")}

    def is_folder(self, key: str) -> bool:
        """A folder that COPY can take: of what is ignored only a folder with something in it is left."""
        path = self.paths.get(key)
        return not key or (path is not None and path.is_dir() and not path.is_symlink()) or bool(self.below(key))

    def match(self, pattern: str) -> list[str]:
        """Paths that a source of COPY means: itself, or all that its wildcards match."""
        name = posixpath.normpath(pattern.lstrip("/")) if pattern.strip("/") else "."
        if name == "." or not _WILD.search(name):
            key = "" if name == "." else name
            return [key] if key in self.paths or self.is_folder(key) else []
        expression = _expression(name)
        return [path for path in self.paths if expression.fullmatch(path)]


def ignore_file(folder: Path, dockerfile: Path) -> str:
    """The text of the .dockerignore that counts: the Dockerfile's own before the context's."""
    for file in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), folder / ".dockerignore"):
        if file.is_file():
            return file.read_text()
    return ""


def _rules(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    """(taken back in, pattern) for each line."""
    rules = []
    for line in text.splitlines():
        bare = line.strip()
        if bare and not line.startswith("#"):
            back = bare.startswith("!")
            name = posixpath.normpath(bare.removeprefix("!").strip()).lstrip("/")
            rules.append((back, _expression(name)))
    return rules


def _ignored(key: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    names = [key, *(str(parent) for parent in PurePosixPath(key).parents if str(parent) != ".")]
    ignored = False
    for back, expression in rules:
        if any(expression.fullmatch(name) for name in names):
            ignored = not back
    return ignored


def _expression(pattern: str) -> re.Pattern[str]:
    found, rest = "", pattern
    while rest:
        for wild, meaning in (("**/", "(?:.*/)?"), ("**", ".*"), ("*", "[^/]*"), ("?", "[^/]")):
            if rest.startswith(wild):
                found, rest = found + meaning, rest[len(wild) :]
                break
        else:
            match = re.match(r"\[(\^?[^\]]+)\]", rest)
            if match:
                found, rest = found + f"[{match[1]}]", rest[match.end() :]
            else:
                found, rest = found + re.escape(rest[0]), rest[1:]
    return re.compile(found, re.DOTALL)
