"""Git objects, read through one `git cat-file` that stays open, and parsed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

_SIGNATURE = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<seconds>-?\d+) (?P<zone>[+-]\d{4})$")
_BATCH = 50
"""Names asked for at once: few enough that the question fits the pipe's buffer."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    name: str
    email: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str

    @property
    def subject(self) -> str:
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True, kw_only=True)
class TagObject:
    """An annotated tag."""

    sha: str
    tag: str
    target: str
    target_type: str
    tagger: Signature
    message: str


@dataclass(frozen=True, kw_only=True)
class GitObject:
    sha: str
    type: str
    """commit, tree, blob or tag"""
    data: bytes


class ObjectReader:
    """`git cat-file --batch-command` kept open; it ends by itself when its standard input closes."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self._path = path
        self._env = dict(env)
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def read(self, names: Sequence[str]) -> list[GitObject | None]:
        """The object under each name (a SHA, a ref, `tree-ish:path`, `x^{commit}`), None where there is none."""
        found: list[GitObject | None] = []
        for start in range(0, len(names), _BATCH):
            found += await self._ask("contents", names[start : start + _BATCH])
        return found

    async def look(self, name: str) -> GitObject | None:
        """Like `read` of one name, without the content."""
        return (await self._ask("info", [name]))[0]

    async def close(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()

    def abandon(self) -> None:
        """Close the pipe; git then ends by itself."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    async def _ask(self, command: str, names: Sequence[str]) -> list[GitObject | None]:
        if any("\n" in name or "\0" in name for name in names):
            return [None for _ in names]
        async with self._lock:
            process = await self._running()
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("git cat-file was started without pipes")
            process.stdin.write("".join(f"{command} {name}\n" for name in names).encode())
            await process.stdin.drain()
            return [await self._answer(process.stdout, command == "contents") for _ in names]

    async def _answer(self, stream: asyncio.StreamReader, with_data: bool) -> GitObject | None:
        header = (await stream.readline()).decode()
        if not header:
            raise RuntimeError(f"git cat-file ended unexpectedly in {self._path}")
        words = header.split()
        if len(words) != 3 or not words[2].isdigit():
            return None  # "NAME missing" or "NAME ambiguous"
        sha, kind, size = words
        data = (await stream.readexactly(int(size) + 1))[:-1] if with_data else b""
        return GitObject(sha=sha, type=kind, data=data)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                "git",
                "cat-file",
                "--batch-command",
                cwd=self._path,
                env=self._env,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in a terminal is the world's to handle
            )
        return self._process


def parse_commit(found: GitObject) -> Commit:
    """The commit in a raw commit object."""
    headers, message = _parts(found.data)
    return Commit(
        sha=found.sha,
        tree=headers["tree"][0],
        parents=tuple(headers.get("parent", ())),
        author=signature(headers["author"][0]),
        committer=signature(headers["committer"][0]),
        message=message,
    )


def parse_tag(found: GitObject) -> TagObject:
    """The annotated tag in a raw tag object."""
    headers, message = _parts(found.data)
    return TagObject(
        sha=found.sha,
        tag=headers["tag"][0],
        target=headers["object"][0],
        target_type=headers["type"][0],
        tagger=signature(headers.get("tagger", ["unknown <> 0 +0000"])[0]),
        message=message,
    )


def signature(line: str) -> Signature:
    """`Name <mail> 1700000000 +0100`; what cannot be read becomes the epoch rather than an error."""
    match = _SIGNATURE.match(line)
    if match is None:
        return Signature(name=line, email="", at=datetime.fromtimestamp(0, UTC))
    sign = -1 if match["zone"][0] == "-" else 1
    offset = sign * timedelta(hours=int(match["zone"][1:3]), minutes=int(match["zone"][3:5]))
    return Signature(
        name=match["name"],
        email=match["email"],
        at=datetime.fromtimestamp(int(match["seconds"]), timezone(offset)),
    )


def _parts(data: bytes) -> tuple[dict[str, list[str]], str]:
    head, _, body = data.decode("utf-8", "replace").partition("\n\n")
    headers: dict[str, list[str]] = {}
    for line in head.split("\n"):
        if line.startswith(" "):
            continue  # a folded gpgsig
        name, _, value = line.partition(" ")
        headers.setdefault(name, []).append(value)
    return headers, body.removesuffix("\n")
