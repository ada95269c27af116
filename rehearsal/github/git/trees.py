"""Trees and blobs: listing, reading, writing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.github.git.bare import BareRepository, identity
from rehearsal.github.git.objects import Signature


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    path: str
    mode: str
    type: str
    """blob, tree or commit (a submodule)"""
    sha: str
    size: int | None
    """Bytes; None for anything but a blob."""


@dataclass(frozen=True, kw_only=True)
class TreeChange:
    """One entry to put into a tree; `sha` None takes the path out."""

    path: str
    mode: str
    sha: str | None


async def entries(git: BareRepository, treeish: str, *, recursive: bool = False, path: str = "") -> list[TreeEntry]:
    """What a tree holds; below `path` only. Sub-trees are listed too, as GitHub does."""
    options = ["-r", "-t"] if recursive else []
    treeish = f"{treeish}:{path}" if path else treeish
    output = await git.git("ls-tree", "-z", "-l", *options, treeish)
    found = []
    for line in output.decode("utf-8", "replace").split("\0")[:-1]:
        meta, _, name = line.partition("\t")
        mode, kind, sha, size = meta.split()
        found.append(TreeEntry(path=name, mode=mode, type=kind, sha=sha, size=int(size) if size != "-" else None))
    return found


async def write_blob(git: BareRepository, content: bytes) -> str:
    return (await git.git("hash-object", "-w", "--stdin", stdin=content)).decode().strip()


async def write_tree(git: BareRepository, base: str | None, changes: Sequence[TreeChange]) -> str:
    """A tree like `base` (None: empty) with these changes. Raises GitError for objects that are not there."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if base is not None:
            await git.git("read-tree", base, env=env)
        lines = "".join(
            f"{change.mode} {change.sha}\t{change.path}\0" if change.sha else f"0 {'0' * 40}\t{change.path}\0"
            for change in changes
        )
        await git.git("update-index", "-z", "--index-info", stdin=lines.encode(), env=env)
        return (await git.git("write-tree", env=env)).decode().strip()


async def write_commit(
    git: BareRepository, *, tree: str, parents: Sequence[str], message: str, author: Signature, committer: Signature
) -> str:
    arguments = [word for parent in parents for word in ("-p", parent)]
    env = identity(author, committer)
    return (await git.git("commit-tree", tree, *arguments, stdin=message.encode(), env=env)).decode().strip()


async def write_tag(
    git: BareRepository, *, name: str, target: str, target_type: str, message: str, tagger: Signature
) -> str:
    """An annotated tag object; no ref points at it yet."""
    offset = tagger.at.strftime("%z") or "+0000"
    stamp = f"{tagger.name} <{tagger.email}> {int(tagger.at.timestamp())} {offset}"
    body = message if message.endswith("\n") else f"{message}\n"
    text = f"object {target}\ntype {target_type}\ntag {name}\ntagger {stamp}\n\n{body}"
    return (await git.git("hash-object", "-w", "-t", "tag", "--stdin", stdin=text.encode())).decode().strip()
