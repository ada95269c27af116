"""Debug ids: the name that a built script and its source map share, so that a trace finds its map whatever the release is called.

The script ends with `//# debugId=…` and registers the id while it runs, by the stack that it sees of itself (`_sentryDebugIds`, which the
tracker's SDK reads); the map says `debugId`. Sources: github.com/tc39/ecma426 proposals/debug-id.md; docs.sentry.io
"What are Debug IDs"; github.com/getsentry/rfcs 0081.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pipelines.site_builds import source_maps
from pipelines.site_builds.source_maps import SOURCE_MAP

SCRIPTS = (".js", ".mjs", ".cjs")
KEYS = ("debugId", "debug_id")
"""Of a source map: the proposal's, and the one from before it, which trackers of one's own may know alone."""
_ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_COMMENT = re.compile(rf"^//# debugId=({_ID})[ \t]*\r?$", re.MULTILINE)
_REGISTERED = re.compile(rf"_sentryDebugIds[^\"'\n]{{0,80}}[\"']({_ID})[\"']")
_REFERENCE = re.compile(r"^//[#@][ \t]*sourceMappingURL=(\S+)", re.MULTILINE)
_PINNED = re.compile(rb"\bintegrity\s*=\s*[\"']?sha\d{3}-")
_LINE_END = re.compile(r"\r\n|\n|\r")
_HEAD = re.compile(
    r"""\ufeff?
    (?:\#![^\r\n]*(?:\r\n|\n|\r))?                                # for Node as a program
    (?:(?:\s|//[^\r\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+              # comments between
       (?:"use[ ][a-z ]+"|'use[ ][a-z ]+')
       (?:[ \t]*;|(?=[ \t]*(?:\r\n|\n|\r))))*                     # "use strict" is none once anything stands before it
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """A script of a build and its source map: paths below the folder of the build, with slashes."""

    script: str
    map: str
    debug_id: str


def inject(folder: Path) -> list[Mapped]:
    """Give each script that has a source map a debug id, made of both contents: a build that is the same has the same ids. Doing it
    again changes nothing, and an id that a bundler gave stays. A script whose map is none is left as it is.

    Where a page pins what its scripts are (`integrity`), none is changed: browsers would refuse them.
    """
    if _pinned(folder):
        return mapped(folder)
    for script, document in _pairs(folder):
        with suppress(ValueError):
            _inject(script, document)
    return mapped(folder)


def mapped(folder: Path) -> list[Mapped]:
    """The scripts of a build that have a source map and the same debug id as it."""
    found = []
    for script, document in _pairs(folder):
        text, contents = _read(script), source_maps.read(document)
        ids = {registered(text), *(str(contents[key]).lower() for key in KEYS if key in contents)}
        if len(ids) == 1 and "" not in ids and any(key in contents for key in KEYS) and _COMMENT.search(text):
            within = document.relative_to(folder.resolve()).as_posix()
            found.append(Mapped(script=script.relative_to(folder).as_posix(), map=within, debug_id=ids.pop()))
    return found


def registered(script: str) -> str:
    """The debug id that a script registers while it runs; empty for none."""
    match = _REGISTERED.search(script)
    return match[1].lower() if match else ""


def _inject(script: Path, document: Path) -> None:
    """Raises ValueError for a source map whose mappings are none; nothing is written then."""
    text, contents = _read(script), source_maps.read(document)
    commented = _COMMENT.search(text)
    own = registered(text) or (commented[1].lower() if commented else "")
    debug_id = own or _given(contents) or _made(script, document)
    if not registered(text):
        text, contents = _with_registration(text, contents, debug_id)
    if not commented:
        text = f"{text if text.endswith(chr(10)) else text + chr(10)}//# debugId={debug_id}\n"
    named = json.dumps(contents | dict.fromkeys(KEYS, debug_id), ensure_ascii=False, separators=(",", ":"))
    # Half of a surrogate pair, which JSON can escape, is in no UTF-8: this raises before anything is written.
    for file, content in ((script, text.encode()), (document, named.encode())):
        if file.read_bytes() != content:
            file.write_bytes(content)


def _given(contents: dict[str, Any]) -> str:
    """The id that a bundler gave the map; empty for none. What has another form would become code of the script."""
    found = (str(contents[key]).lower() for key in KEYS if key in contents)
    return next((each for each in found if re.fullmatch(_ID, each)), "")


def _with_registration(text: str, contents: dict[str, Any], debug_id: str) -> tuple[str, dict[str, Any]]:
    """Script and map with the code that registers the id, on the line of what stood there: no line moves, and one column does."""
    match = _HEAD.match(text)
    head = match[0] if match else ""
    code = registration(debug_id)
    lines = _LINE_END.split(head)
    column = len(lines[-1].removeprefix("\ufeff").encode("utf-16-le")) // 2
    moved = source_maps.moved(contents, line=len(lines) - 1, column=column, by=len(code))
    return head + code + text[len(head) :], moved


def registration(debug_id: str) -> str:
    """Code that registers an id for the script it stands in. It begins with a semicolon: what stands before may have none."""
    return (
        ';!function(){try{var g="undefined"!=typeof globalThis?globalThis:self,s=(new g.Error).stack;'
        f's&&((g._sentryDebugIds=g._sentryDebugIds||{{}})[s]="{debug_id}")}}catch(e){{}}}}();'
    )


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Scripts with their source maps that can be read, in the order of their names."""
    for script in sorted(path for path in folder.rglob("*") if path.suffix in SCRIPTS):
        if script.is_symlink() or not script.is_file() or not _is_text(str(script).encode(errors="surrogateescape")):
            continue
        document = _map_of(folder, script)
        if document is not None and source_maps.read(document) and _is_text(script.read_bytes()):
            yield script, document


def _map_of(folder: Path, script: Path) -> Path | None:
    """What the script's last comment names, if it is a file of the build; else the file of its name with the ending of maps."""
    named = _REFERENCE.findall(script.read_bytes().decode(errors="replace"))
    candidates = [script.parent / unquote(named[-1])] if named and ":" not in named[-1] else []
    for found in (*candidates, script.with_name(script.name + SOURCE_MAP)):
        # A name from the build can be no name of a file at all, or one of symbolic links that lead in a circle (RuntimeError).
        with suppress(OSError, RuntimeError, ValueError):
            inside = found.resolve().is_relative_to(folder.resolve())
            if inside and found.is_file() and not found.is_symlink():
                return found.resolve()
    return None


def _pinned(folder: Path) -> bool:
    return any(_PINNED.search(page.read_bytes()) for page in folder.rglob("*.html") if page.is_file())


def _made(script: Path, document: Path) -> str:
    """A UUID of the form for names (version 5), by SHA-256."""
    content = hashlib.sha256(script.read_bytes()).digest() + hashlib.sha256(document.read_bytes()).digest()
    return str(uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=5))


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read(file: Path) -> str:
    """With its own line ends."""
    return file.read_bytes().decode()
