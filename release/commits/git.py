"""The git command: one process per question, output streamed, the user's own settings kept out."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import cast

from pipelines.errors import InputError, LocalError

CHUNK = 1 << 20
# What a person may have set for reading logs must not change what a version is.
_SETTINGS = (
    "-c",
    "core.quotePath=false",
    "-c",
    "log.follow=false",
    "-c",
    "log.mailmap=true",
    "-c",
    "log.showRoot=true",
)


@dataclass(frozen=True)
class Head:
    """Where a repository stands."""

    commit: str
    branch: str | None
    """None when HEAD is detached."""
    git_dir: Path
    shallow: bool


class Git:
    """git in one folder (`-C`)."""

    def __init__(self, folder: Path = Path()) -> None:
        self.folder = folder
        self.calls = 0
        """How many processes were started: tests hold it constant over the size of a history."""

    def start(self, *arguments: str, stdin: bool = False) -> subprocess.Popen[bytes]:
        """Start git; the caller reads its output and calls `finish`. Raises LocalError when there is no git."""
        self.calls += 1
        try:
            return subprocess.Popen(
                ["git", "-C", str(self.folder), *_SETTINGS, *arguments],
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
            )
        except FileNotFoundError as error:
            raise LocalError("git is not installed", next_step="install git, then run this again") from error

    def run(self, *arguments: str, given: bytes | None = None, ok: Sequence[int] = (0,)) -> bytes:
        """What git printed. Raises InputError or LocalError with git's own words when its exit code is not in `ok`."""
        process = self.start(*arguments, stdin=given is not None)
        out, complaint = process.communicate(given)
        if process.returncode not in ok:
            raise _failed(self.folder, arguments, complaint)
        return out

    def stream(self, *arguments: str, given: bytes | None = None, at_once: int = CHUNK) -> Generator[bytes]:
        """What git prints, in pieces of `at_once` bytes, the last one shorter; at most one piece is held. A reader that may stop early
        asks for small ones."""
        process = self.start(*arguments, stdin=given is not None)
        out, complaints = cast(BufferedReader, process.stdout), cast(BufferedReader, process.stderr)
        _widen(out.fileno())
        if process.stdin is not None:
            process.stdin.write(given or b"")
            process.stdin.close()
        try:
            while piece := out.read(at_once):
                yield piece
            complaint = complaints.read()
            if process.wait() != 0:
                raise _failed(self.folder, arguments, complaint)
        finally:
            process.kill()
            out.close()
            complaints.close()
            process.wait()

    def head(self) -> Head:
        """HEAD, its branch, and whether the history is cut. Raises InputError outside a repository or before a first commit."""
        asked = ("--is-shallow-repository", "--absolute-git-dir", "HEAD^{commit}", "--symbolic-full-name", "HEAD")
        process = self.start("rev-parse", *asked)
        out, complaint = process.communicate()
        lines = out.decode("utf-8", "surrogateescape").splitlines()
        if process.returncode != 0 or len(lines) < 4:
            if b"HEAD" in complaint:
                self._require_objects()
                raise InputError(
                    "this repository has no commit yet",
                    where=str(self.folder.resolve()),
                    next_step="commit something, then run this again",
                )
            raise _failed(self.folder, ("rev-parse",), complaint)
        branch = lines[3].removeprefix("refs/heads/") if lines[3].startswith("refs/heads/") else None
        return Head(commit=lines[2], branch=branch, git_dir=Path(lines[1]), shallow=lines[0] == "true")

    def _require_objects(self) -> None:
        """Tell a repository that lost its objects from one that has none yet. Raises LocalError."""
        named = self.run("rev-parse", "--quiet", "--verify", "HEAD", ok=(0, 1, 128)).decode().strip()
        if named:
            raise LocalError(
                f"the commit {named[:9]} that HEAD is on is not in this repository",
                where=str(self.folder.resolve()),
                why="objects are missing: files were deleted, or a copy was cut short",
                next_step="git fsck says what is missing; clone it anew if it cannot be fetched",
            )

    def top(self) -> Path:
        """The folder of the working tree. Raises InputError where there is none: in a bare repository, or outside any."""
        found = self.run("rev-parse", "--show-toplevel", ok=(0, 128)).decode("utf-8", "surrogateescape").rstrip("\n")
        if not found:
            self.run("rev-parse", "--git-dir")
            raise InputError(
                "there is no working tree here: no file can be read or written",
                why="the repository is bare, or this is inside its .git",
                where=str(self.folder.resolve()),
                next_step="run this in a clone with a working tree",
            )
        return Path(found)

    def commit(self, name: str) -> str:
        """The full id of a commit named in any way git knows. Raises InputError."""
        out = self.run("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}", ok=(0, 1, 128))
        if not out.strip():
            raise InputError(
                f"there is no commit {name!r} here",
                where=str(self.folder.resolve()),
                why="the name is wrong, or it was not fetched",
                next_step="git fetch --tags origin, then run this again",
            )
        return out.decode().strip()

    def file(self, commit: str, path: str) -> bytes | None:
        """A file as it is in a commit; None if it is not there."""
        process = self.start("cat-file", "blob", f"{commit}:{path}")
        out, _ = process.communicate()
        return out if process.returncode == 0 else None

    def note_tag(self, name: str, commit: str) -> None:
        """Let this clone know a tag that was made on the forge, if it does not: it says so by itself only after a fetch."""
        process = self.start("update-ref", f"refs/tags/{name}", commit, "0" * len(commit))
        process.communicate()

    def dirty(self) -> list[str]:
        """Paths that differ from HEAD, untracked ones too."""
        out = self.run("status", "--porcelain=v1", "-z", "--untracked-files=normal").decode("utf-8", "surrogateescape")
        entries = iter(out.split("\0"))
        found: list[str] = []
        for entry in entries:
            if len(entry) > 3:
                found.append(entry[3:])
            if "R" in entry[:2] or "C" in entry[:2]:
                next(entries, "")  # what it was called before is an entry of its own, without a mark
        return found


def _widen(pipe: int) -> None:
    """Let git run ahead of us by a whole piece; where the system does not know how, it waits more often."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, CHUNK)


def _environment() -> dict[str, str]:
    kept = {
        key: value for key, value in os.environ.items() if key not in ("GIT_LITERAL_PATHSPECS", "GIT_EXTERNAL_DIFF")
    }
    # GIT_FLUSH=0: a log goes out in full buffers, not commit by commit.
    ours = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat", "GIT_FLUSH": "0"}
    return {**kept, **ours}


def _failed(folder: Path, arguments: Sequence[str], complaint: bytes) -> InputError | LocalError:
    message = complaint.decode("utf-8", "replace").strip()
    where = str(folder.resolve())
    if "not a git repository" in message or "cannot change to" in message:
        return InputError(
            "this is not a git repository", where=where, next_step="run this inside one, or name one with -C DIR"
        )
    if "dubious ownership" in message:
        return LocalError(
            "git refuses this folder: it belongs to another user",
            where=where,
            next_step=f"git config --global --add safe.directory {where}",
        )
    return LocalError(
        f"git {arguments[0]} failed: {message or 'no reason given'}", where=where, next_step="see git's words"
    )
