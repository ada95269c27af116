"""Questions about history: what contains what, what differs, what changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rehearsal.github.git.bare import BareRepository
from rehearsal.github.git.objects import Commit

_STATUSES = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_SHORTSTAT = re.compile(r"(\d+) (file|insertion|deletion)")


@dataclass(frozen=True, kw_only=True)
class FileChange:
    path: str
    previous_path: str | None
    status: str
    """added, removed, modified, renamed, copied or changed"""
    sha: str
    """Of the blob; of the old one for a removed file."""
    additions: int
    deletions: int
    patch: str | None
    """The hunks, without git's header; None for binary files and pure renames."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much lies between two commits."""

    commits: int
    files: int
    additions: int
    deletions: int


async def is_ancestor(git: BareRepository, old: str, new: str) -> bool:
    code, _ = await git.outcome("merge-base", "--is-ancestor", old, new, accept=(0, 1))
    return code == 0


async def merge_base(git: BareRepository, one: str, other: str) -> str | None:
    """The best common ancestor, None for unrelated histories."""
    code, output = await git.outcome("merge-base", one, other, accept=(0, 1))
    return output.decode().strip() if code == 0 else None


async def ahead_behind(git: BareRepository, base: str, head: str) -> tuple[int, int]:
    """Commits of head that base lacks, and the reverse."""
    counted = await git.git("rev-list", "--left-right", "--count", f"{base}...{head}")
    behind, ahead = counted.decode().split()
    return int(ahead), int(behind)


async def between(git: BareRepository, base: str, head: str, *, skip: int = 0, limit: int = -1) -> list[Commit]:
    """Commits of head that base lacks, oldest first, as a comparison lists them."""
    listed = await git.git("rev-list", "--reverse", "--topo-order", f"{base}..{head}")
    shas = listed.decode().split()[skip:]
    return await git.commits(shas if limit < 0 else shas[:limit])


async def log(
    git: BareRepository, start: str, *, paths: Sequence[str] = (), options: Sequence[str] = (), skip: int, limit: int
) -> list[Commit]:
    """Commits from `start` back, newest first."""
    arguments = ["rev-list", f"--skip={skip}", f"--max-count={limit}", *options, start, "--", *paths]
    return await git.commits((await git.git(*arguments)).decode().split())


async def count(git: BareRepository, start: str, *, paths: Sequence[str] = (), options: Sequence[str] = ()) -> int:
    """How many commits `log` would find in all."""
    return await git.count(*options, start, "--", *paths)


@dataclass(frozen=True, kw_only=True)
class Touched:
    """The paths one commit adds, removes and modifies, against its first parent."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()


async def touched(git: BareRepository, shas: Sequence[str]) -> dict[str, Touched]:
    """What each of some commits touches, with one git process."""
    if not shas:
        return {}
    arguments = ["log", "--no-walk=unsorted", "--format=%x01%H", "--name-status", "-z", "-m", "--first-parent"]
    output = await git.git(*arguments, "--no-renames", *shas)
    found: dict[str, Touched] = {}
    for part in output.decode("utf-8", "replace").split("\x01")[1:]:
        sha, _, rest = part.partition("\0")
        fields = [field.lstrip("\n") for field in rest.split("\0")]
        pairs = list(zip(fields[0::2], fields[1::2], strict=False))
        found[sha] = Touched(
            added=tuple(path for letter, path in pairs if letter == "A"),
            removed=tuple(path for letter, path in pairs if letter == "D"),
            modified=tuple(path for letter, path in pairs if letter in ("M", "T")),
        )
    return found


async def size(git: BareRepository, base: str, head: str) -> Size:
    """What merging head into base brings, counted from their merge base."""
    code, summary = await git.outcome("diff", "--shortstat", f"{base}...{head}", accept=(0, 128))
    figures = {word: int(number) for number, word in _SHORTSTAT.findall(summary.decode())} if code == 0 else {}
    return Size(
        commits=await git.count(f"{base}..{head}"),
        files=figures.get("file", 0),
        additions=figures.get("insertion", 0),
        deletions=figures.get("deletion", 0),
    )


async def changed_paths(git: BareRepository, base: str, head: str) -> list[str]:
    output = await git.git("diff", "--name-only", "--no-renames", "-z", base, head)
    return [path for path in output.decode("utf-8", "replace").split("\0") if path]


async def changes(git: BareRepository, base: str | None, head: str) -> list[FileChange]:
    """What differs between two commits (None: against nothing), with patches."""
    start = base or _EMPTY_TREE
    raw = await git.git("diff", "--raw", "--numstat", "-M", "-z", "--abbrev=40", start, head)
    entries = _entries(raw.decode("utf-8", "replace"))
    patches = _patches(await diff(git, base, head))
    return [replace(entry, patch=patch) for entry, patch in zip(entries, patches, strict=True)]


async def diff(git: BareRepository, base: str | None, head: str) -> str:
    """What differs between two commits (None: against nothing), as git shows it."""
    text = await git.git("diff", "-p", "-M", base or _EMPTY_TREE, head)
    return text.decode("utf-8", "replace")


def _entries(output: str) -> list[FileChange]:
    """Reads `git diff --raw --numstat -z`: all raw lines, then all counts, in the same order."""
    fields = output.split("\0")[:-1]
    position = 0
    found: list[FileChange] = []
    while position < len(fields) and fields[position].startswith(":"):
        _, _, old_sha, new_sha, letter = fields[position].split(" ")
        moved = letter[0] in "RC"
        path = fields[position + (2 if moved else 1)]
        found.append(
            FileChange(
                path=path,
                previous_path=fields[position + 1] if moved else None,
                status=_STATUSES.get(letter[0], "changed"),
                sha=old_sha if letter[0] == "D" else new_sha,
                additions=0,
                deletions=0,
                patch=None,
            )
        )
        position += 3 if moved else 2
    return [
        replace(one, additions=a, deletions=d) for one, (a, d) in zip(found, _counts(fields[position:]), strict=True)
    ]


def _counts(fields: Sequence[str]) -> list[tuple[int, int]]:
    counts: list[tuple[int, int]] = []
    position = 0
    while position < len(fields):
        added, deleted, path = fields[position].split("\t")
        counts.append((0 if added == "-" else int(added), 0 if deleted == "-" else int(deleted)))
        position += 1 if path else 3  # a rename names both paths in fields of their own
    return counts


def _patches(text: str) -> list[str | None]:
    """One patch for each `diff --git` section, in order; its header is cut off."""
    patches: list[str | None] = []
    current: list[str] | None = None
    in_hunks = False
    for line in text.split("\n"):
        if line.startswith("diff --git "):
            if current is not None:
                patches.append("\n".join(current) or None)
            current, in_hunks = [], False
            continue
        in_hunks = in_hunks or line.startswith("@@ ")
        if in_hunks and current is not None:
            current.append(line)
    if current is not None:
        patches.append("\n".join(current).rstrip("\n") or None)
    return patches
