"""A bare repository on disk and the git commands run in it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rehearsal import processes
from rehearsal.github.git.objects import Commit, GitObject, ObjectReader, Signature, TagObject, parse_commit, parse_tag

ZERO = "0" * 40
"""What git calls the commit of a ref that is not there."""

_HEX = re.compile(r"[0-9a-f]{4,40}$")
_COMMITS_KEPT = 20_000
_COUNTS_KEPT = 1_000

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file",
}
"""Nothing of the user's own configuration reaches this GitHub."""


class GitError(RuntimeError):
    """A git command failed that was not expected to."""

    def __init__(self, arguments: Sequence[str], code: int, stderr: str) -> None:
        super().__init__(f"git {' '.join(arguments)} ended with {code}: {stderr.strip()}")
        self.code = code
        self.stderr = stderr


class BareRepository:
    """One bare repository. `refs` mirrors its refs; every change of refs happens under `writing`."""

    def __init__(self, path: Path, hooks: Path, extra_env: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.hooks = hooks
        """Folder of the hooks that pushes run."""
        self.refs: dict[str, str] = {}
        """Full ref -> SHA (of the tag object for an annotated tag)."""
        self.writing = asyncio.Lock()
        self._env = {**ENVIRONMENT, **(extra_env or {})}
        self._reader = ObjectReader(path, self._env)
        self._commits: dict[str, Commit] = {}
        self._counts: dict[tuple[str, ...], int] = {}

    async def create(self, default_branch: str) -> None:
        """Make the repository on disk."""
        self.path.mkdir(parents=True)
        await self.git("init", "-q", "--bare", f"--initial-branch={default_branch}", ".")
        settings = {
            "receive.hideRefs": "refs/pull",  # nobody pushes there, as on GitHub
            "uploadpack.allowAnySHA1InWant": "true",  # actions/checkout fetches commits by SHA
            "http.receivepack": "true",
            "gc.auto": "0",
            # On loopback and for minutes, bytes are cheap: of plain objects a checkout takes half the processor time, and each job has two.
            "core.compression": "0",
            "pack.window": "0",
            "core.logAllRefUpdates": "false",
        }
        lines = "".join(f"[{key.split('.')[0]}]\n\t{key.split('.')[1]} = {value}\n" for key, value in settings.items())
        with (self.path / "config").open("a") as config:
            config.write(lines)
        self.refs = {}

    def within(self, quarantine: Mapping[str, str]) -> BareRepository:
        """The same repository as a push sees it: with objects that are not let in yet."""
        view = BareRepository(self.path, self.hooks, quarantine)
        view.refs = self.refs
        return view

    async def close(self) -> None:
        await self._reader.close()

    def abandon(self) -> None:
        """End what is kept open without waiting for it."""
        self._reader.abandon()

    async def git(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        accept: Sequence[int] = (0,),
    ) -> bytes:
        """Run git here and return what it printed. Raises GitError for an exit code not in `accept`."""
        _, output = await self.outcome(*arguments, stdin=stdin, env=env, cwd=cwd, accept=accept)
        return output

    async def outcome(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        accept: Sequence[int] = (0,),
    ) -> tuple[int, bytes]:
        """Like `git`, with the exit code."""
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=cwd or self.path,
            env={**self._env, "GIT_DIR": str(self.path), **(env or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        output, errors = await processes.communicated(process, stdin)
        code = process.returncode or 0
        if code not in accept:
            raise GitError(arguments, code, errors.decode("utf-8", "replace"))
        return code, output

    async def reload(self) -> dict[str, str]:
        """Read the refs from disk again, with `writing` held; returns them as they were before."""
        before = self.refs
        listed = await self.git("for-each-ref", "--format=%(objectname) %(refname)")
        self.refs = _refs(listed)
        return before

    def reload_now(self) -> None:
        """Like `reload` for a repository that nobody uses yet."""
        arguments = ["git", "for-each-ref", "--format=%(objectname) %(refname)"]
        listed = subprocess.run(
            arguments, cwd=self.path, env=self._env, stdin=subprocess.DEVNULL, capture_output=True, check=True
        )
        self.refs = _refs(listed.stdout)

    async def update_ref(self, ref: str, new: str, old: str | None = None) -> bool:
        """Set a ref, only if it still is `old` (ZERO: not there); ZERO as `new` deletes. False when it is not."""
        arguments = ["update-ref", "-d", ref] if new == ZERO else ["update-ref", ref, new]
        async with self.writing:
            code, _ = await self.outcome(*arguments, *([old] if old is not None else []), accept=(0, 1, 128))
            if code != 0:
                return False
            self.refs = {name: sha for name, sha in self.refs.items() if name != ref}
            if new != ZERO:
                self.refs[ref] = new
            return True

    async def read(self, name: str) -> GitObject | None:
        return (await self._reader.read([name]))[0]

    async def look(self, name: str) -> GitObject | None:
        """SHA and type of an object, its content left out."""
        return await self._reader.look(name)

    async def commits(self, shas: Sequence[str]) -> list[Commit]:
        """The commits of full SHAs. Raises KeyError when one is not there."""
        missing = [sha for sha in shas if sha not in self._commits]
        for sha, found in zip(missing, await self._reader.read(missing) if missing else [], strict=True):
            if found is None or found.type != "commit":
                raise KeyError(sha)
            if len(self._commits) >= _COMMITS_KEPT:
                self._commits.clear()
            self._commits[sha] = parse_commit(found)
        # A large request may have emptied the cache on its way.
        return [self._commits.get(sha) or await self.commit(sha) for sha in shas]

    async def count(self, *arguments: str) -> int:
        """`git rev-list --count`, asked once: the commits named by SHA never change."""
        if arguments not in self._counts:
            if len(self._counts) >= _COUNTS_KEPT:
                self._counts.clear()
            self._counts[arguments] = int(await self.git("rev-list", "--count", *arguments))
        return self._counts[arguments]

    async def commit(self, sha: str) -> Commit:
        """Raises KeyError when there is no such commit."""
        return (await self.commits([sha]))[0]

    async def tag_object(self, sha: str) -> TagObject | None:
        found = await self.read(sha)
        return parse_tag(found) if found is not None and found.type == "tag" else None

    async def resolve(self, name: str) -> str | None:
        """The commit a branch, tag, full ref or (abbreviated) SHA means, None when nothing does."""
        for ref in (f"refs/heads/{name}", f"refs/tags/{name}", name, f"refs/{name}"):
            if ref in self.refs:
                return await self.peel(self.refs[ref])
        return await self.peel(name) if _HEX.match(name) else None

    async def peel(self, sha: str) -> str | None:
        """The commit of a SHA that may be a tag object's; None for anything without a commit."""
        found = await self._reader.look(f"{sha}^{{commit}}")
        return found.sha if found is not None else None

    def branch(self, name: str) -> str | None:
        return self.refs.get(f"refs/heads/{name}")

    def branches(self) -> dict[str, str]:
        return self._below("refs/heads/")

    def tags(self) -> dict[str, str]:
        return self._below("refs/tags/")

    def _below(self, prefix: str) -> dict[str, str]:
        return {ref.removeprefix(prefix): sha for ref, sha in sorted(self.refs.items()) if ref.startswith(prefix)}


def _refs(listed: bytes) -> dict[str, str]:
    pairs = (line.split(" ", 1) for line in listed.decode().splitlines())
    return {ref: sha for sha, ref in pairs}


def identity(author: Signature, committer: Signature) -> dict[str, str]:
    """The environment that makes git write exactly these names and times."""
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_AUTHOR_DATE": _git_date(author.at),
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
        "GIT_COMMITTER_DATE": _git_date(committer.at),
    }


def _git_date(at: datetime) -> str:
    return f"{int(at.timestamp())} {at.strftime('%z') or '+0000'}"
