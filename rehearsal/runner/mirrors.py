"""Copies of repositories, to read action files at a commit without a workspace."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rehearsal import processes


class FetchError(RuntimeError):
    """A repository or commit that could not be fetched; the text is git's."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a repository is and how to read it."""

    repository: str
    url: str
    token: str


class Mirrors:
    """Bare repositories under one folder, filled commit by commit."""

    def __init__(self, folder: Path, path: str) -> None:
        self._folder = folder
        self._path = path
        self._locks: dict[str, asyncio.Lock] = {}
        self._known: dict[tuple[str, str], str] = {}
        self._read: dict[tuple[str, str, tuple[str, ...]], dict[str, str]] = {}

    async def fetch(self, source: Source, ref: str) -> str:
        """Have a commit, branch or tag of a repository here; its commit. Raises FetchError."""
        async with self._locks.setdefault(source.repository, asyncio.Lock()):
            known = self._known.get((source.repository, ref))
            if known is not None:
                return known
            await self._git(source, "fetch", "-q", "--depth=1", "--no-tags", source.url, ref)
            commit = (await self._git(source, "rev-parse", "FETCH_HEAD^{commit}")).strip()
            if ref == commit:
                self._known[(source.repository, ref)] = commit
            return commit

    async def read(self, source: Source, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """Text of those files that exist at a commit."""
        wanted = tuple(paths)
        key = (source.repository, commit, wanted)
        if key not in self._read:
            stdin = "".join(f"{commit}:{path}\n" for path in wanted)
            answer = await self._git(source, "cat-file", "--batch", stdin=stdin)
            self._read[key] = dict(_batch(wanted, answer.encode()))
        return self._read[key]

    async def export(self, source: Source, commit: str) -> Path:
        """A folder with the files of a commit; made once."""
        target = self._folder / "trees" / source.repository / commit
        if not target.exists():
            partial = target.with_suffix(".part")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            await self._git(source, f"--work-tree={partial}", "checkout", "-q", "--force", commit, "--", ".")
            with contextlib.suppress(FileExistsError):
                partial.rename(target)
        return target

    async def _git(self, source: Source, *arguments: str, stdin: str = "") -> str:
        bare = self._folder / f"{source.repository}.git"
        if not bare.exists():
            bare.parent.mkdir(parents=True, exist_ok=True)
            await self._run(["git", "init", "-q", "--bare", str(bare)], self._environment(source), "")
        return await self._run(["git", f"--git-dir={bare}", *arguments], self._environment(source), stdin)

    def _environment(self, source: Source) -> dict[str, str]:
        basic = base64.b64encode(f"x-access-token:{source.token}".encode()).decode()
        return {
            "PATH": self._path,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{source.url}.extraheader",
            "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
        }

    @staticmethod
    async def _run(argv: list[str], env: dict[str, str], stdin: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=processes.die_with_parent,
        )
        out, err = await processes.communicated(process, stdin.encode())
        if process.returncode:
            raise FetchError(err.decode(errors="replace").strip())
        return out.decode(errors="replace")


def _batch(paths: tuple[str, ...], answer: bytes) -> Iterable[tuple[str, str]]:
    """What `git cat-file --batch` says of each path; missing ones are left out."""
    position = 0
    for path in paths:
        end = answer.index(b"\n", position)
        head = answer[position:end].split()
        position = end + 1
        if head[-1] == b"missing":
            continue
        size = int(head[2])
        if head[1] == b"blob":
            yield path, answer[position : position + size].decode(errors="replace")
        position += size + 1
