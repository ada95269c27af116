"""What of the repository goes into an image: the files of the commit itself, read from git, never from the working tree."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import InputError, LocalError
from pipelines.images.layer import File

_SUBMODULE, _SYMLINK, _EXECUTABLE = "160000", "120000", "100755"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit of the repository at `root`. What is not committed does not exist here."""

    root: Path
    sha: str

    @classmethod
    def find(cls, root: Path, name: str) -> Commit:
        """The commit that `name` means. Raises InputError when there is none, LocalError without git."""
        answer = _asked(root, ["rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}"])
        if isinstance(answer, str):
            raise InputError(
                f"there is no commit {name!r} here",
                where=str(root),
                why="the folder is no git repository, or its clone is shallow and does not hold the commit",
                next_step=f"run `git fetch origin {name}`, or give a commit that `git log` shows",
            )
        return cls(root=root, sha=answer.decode().strip())

    def read(self, path: str) -> bytes:
        """One file. Raises InputError when the commit does not hold it."""
        answer = _asked(self.root, ["cat-file", "blob", f"{self.sha}:{path}"])
        if isinstance(answer, str):
            raise InputError(
                f"{path} is not in commit {self.sha[:12]}",
                where=str(self.root),
                why="the manifest names it, but it is not committed (or ignored by .gitignore)",
                next_step=f"`git add {path}` and commit it, or correct shipmate.yml",
            )
        return answer

    def names(self, folder: str) -> list[str]:
        """Paths of all files below a folder; empty when there is none."""
        return [path for _, _, path in self._entries(folder)]

    def files(self, folder: str, prefix: str) -> list[File]:
        """The files below a folder, put below `prefix`. Raises InputError when there is none, or a submodule among them."""
        entries = self._entries(folder)
        if not entries:
            raise InputError(
                f"{folder} holds no file in commit {self.sha[:12]}",
                where=str(self.root),
                why="`sources` of the image names it, but nothing in it is committed",
                next_step="correct `sources` in shipmate.yml, or commit the folder",
            )
        modules = [path for mode, _, path in entries if mode == _SUBMODULE]
        if modules:
            raise InputError(
                f"{modules[0]} is a git submodule",
                where=folder,
                why="an image is made of the files of one commit",
                next_step="leave the submodule out of `sources`, or bring its files into the repository",
            )
        contents = self._contents([sha for _, sha, _ in entries])
        start = len(folder.rstrip("/")) + 1
        return [
            _file(mode, f"{prefix}/{path[start:] or Path(path).name}", contents[sha])
            for mode, sha, path in entries
            if "/__pycache__/" not in f"/{path}"
        ]

    def export(self, paths: Sequence[str], folder: Path) -> None:
        """Write the files at and below `paths` of the repository to the same places below the empty `folder`, modes 0644 and 0755.

        Raises InputError when there is none, or a submodule among them.
        """
        entries = {path: (mode, sha) for wanted in paths for mode, sha, path in self._entries(wanted)}
        modules = [path for path, (mode, _) in entries.items() if mode == _SUBMODULE]
        if not entries or modules:
            raise InputError(
                f"{modules[0]} is a git submodule" if modules else f"there is no {' or '.join(paths)}",
                where=f"commit {self.sha[:12]}",
                why="an image is made of the files of one commit",
                next_step="correct the paths of the image in shipmate.yml, or commit the files",
            )
        contents = self._contents([sha for _, sha in entries.values()])
        files = [_file(mode, path, contents[sha]) for path, (mode, sha) in entries.items()]
        # Links come last: no file is written through one.
        for file in sorted(files, key=lambda file: bool(file.link)):
            _write(file, folder)
        for path in (path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()):
            path.chmod(0o755)  # whatever this machine's umask is: docker copies modes into the image

    def uncommitted(self, folders: Sequence[str]) -> list[str]:
        """Files below the folders that differ from the commit checked out, as `git status` tells."""
        answer = _git(self.root, ["status", "--porcelain", "--no-renames", "-z", "--", *folders])
        return [line[3:] for line in answer.decode("utf-8", "surrogateescape").split("\0") if line]

    def _entries(self, folder: str) -> list[tuple[str, str, str]]:
        answer = _git(self.root, ["ls-tree", "-r", "-z", "--full-tree", self.sha, "--", folder])
        entries = []
        for line in answer.decode("utf-8", "surrogateescape").split("\0"):
            if line:
                meta, _, path = line.partition("\t")
                mode, _, sha = meta.split(" ")
                entries.append((mode, sha, path))
        return entries

    def _contents(self, shas: Sequence[str]) -> dict[str, bytes]:
        """Many blobs with one git process."""
        wanted = list(dict.fromkeys(shas))
        answer = _git(self.root, ["cat-file", "--batch"], given="".join(f"{sha}\n" for sha in wanted).encode())
        contents: dict[str, bytes] = {}
        position = 0
        for sha in wanted:
            end = answer.index(b"\n", position)
            size = int(answer[position:end].split(b" ")[2])
            contents[sha] = answer[end + 1 : end + 1 + size]
            position = end + 1 + size + 1
        return contents


def _file(mode: str, path: str, content: bytes) -> File:
    if mode == _SYMLINK:
        return File(path=path, link=content.decode("utf-8", "surrogateescape"))
    return File(path=path, content=content, executable=mode == _EXECUTABLE)


def _write(file: File, folder: Path) -> None:
    if ".." in Path(file.path).parts:
        raise InputError(
            f"{file.path!r} is no path inside a repository", next_step="fix the commit's tree (`git fsck`)"
        )
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.link:
        target.symlink_to(file.link)
        return
    target.write_bytes(file.read())
    target.chmod(0o755 if file.executable else 0o644)


def _git(root: Path, arguments: list[str], given: bytes = b"") -> bytes:
    """Output of a git command that is expected to succeed. Raises LocalError."""
    answer = _asked(root, arguments, given)
    if isinstance(answer, bytes):
        return answer
    raise LocalError(
        f"git {arguments[0]} failed: {answer}",
        where=str(root),
        why="the clone is broken, or belongs to another user",
        next_step=f"run `git -C {root} fsck`, or clone again",
    )


def _asked(root: Path, arguments: list[str], given: bytes = b"") -> bytes | str:
    """Output of a git command, or (text) what it complained about. Raises LocalError without git."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], input=given, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise LocalError("git is not installed", next_step="install git (`apt-get install git`)") from error
    if done.returncode == 0:
        return done.stdout
    return done.stderr.decode(errors="replace").strip()[:300]
