"""Git histories made to order: the objects are written straight into the repository, so that thousands cost little."""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from release.changelog.sections import Section, judged, section_ranges
from release.versions.decision import Decision, Facts
from release.versions.repository import Repository


@dataclass
class Planned:
    """A commit to be made. `parents` are positions in the list of commits before it; `{n}` in its message is the id of commit n."""

    message: str
    parents: tuple[int, ...] = ()
    time: int = 1_700_000_000
    author: str = "dev-1"
    email: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files it changes, on top of its first parent's."""


def line(*messages: str, start: int = 1_700_000_000) -> list[Planned]:
    """Commits one after the other."""
    return [
        Planned(message, parents=(number - 1,) if number else (), time=start + number * 60)
        for number, message in enumerate(messages)
    ]


def make(
    folder: Path,
    commits: Sequence[Planned],
    *,
    tags: Mapping[str, int] | None = None,
    annotated: Sequence[str] = (),
    head: int | None = None,
    branches: Mapping[str, int] | None = None,
) -> list[str]:
    """Make the repository with main at `head` (the last commit by default); the ids of the commits in order.

    `annotated` names the tags that are objects of their own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    store = folder / ".git"
    ids: list[str] = []
    trees: list[dict[str, str]] = []
    for commit in commits:
        trees.append({**(trees[commit.parents[0]] if commit.parents else {}), **commit.files})
        ids.append(_write(store, "commit", _commit(store, commit, trees[-1], ids)))
    if not ids:
        return ids
    refs = {"refs/heads/main": ids[-1 if head is None else head]}
    refs.update({f"refs/heads/{name}": ids[at] for name, at in (branches or {}).items()})
    peeled: dict[str, str] = {}
    for name, at in (tags or {}).items():
        refs[f"refs/tags/{name}"] = ids[at]
        if name in annotated:
            peeled[f"refs/tags/{name}"] = ids[at]
            refs[f"refs/tags/{name}"] = _write(store, "tag", _tag(name, ids[at]))
    rows = ["# pack-refs with: peeled fully-peeled sorted"]
    for name, target in sorted(refs.items()):
        rows.append(f"{target} {name}")
        if name in peeled:
            rows.append(f"^{peeled[name]}")
    (store / "packed-refs").write_text("\n".join(rows) + "\n")
    return ids


def git(folder: Path, *arguments: str, given: str | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=dev-1", "-c", "user.email=dev-1@example.com", *arguments],
        input=given.encode() if given is not None else None,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode("utf-8", "replace").strip()


def _commit(store: Path, commit: Planned, files: Mapping[str, str], ids: Sequence[str]) -> bytes:
    message = commit.message
    for number in range(len(ids)):
        message = message.replace(f"{{{number}}}", ids[number])
    who = f"{commit.author} <{commit.email or commit.author + '@example.com'}> {commit.time} +0000"
    rows = [f"tree {_tree(store, files)}", *(f"parent {ids[parent]}" for parent in commit.parents)]
    rows += [f"author {who}", f"committer {who}", "", ""]
    return "\n".join(rows).encode() + message.encode("utf-8", "surrogateescape")


def _tree(store: Path, files: Mapping[str, str]) -> str:
    folders: dict[str, dict[str, str]] = {}
    entries: list[tuple[bytes, bytes]] = []
    for path, content in files.items():
        first, _, rest = path.partition("/")
        if rest:
            folders.setdefault(first, {})[rest] = content
        else:
            blob = bytes.fromhex(_write(store, "blob", content.encode()))
            entries.append((first.encode(), b"100644 " + first.encode() + b"\0" + blob))
    for name, below in folders.items():
        entries.append((name.encode() + b"/", b"40000 " + name.encode() + b"\0" + bytes.fromhex(_tree(store, below))))
    return _write(store, "tree", b"".join(row for _, row in sorted(entries)))


def _tag(name: str, commit: str) -> bytes:
    return f"object {commit}\ntype commit\ntag {name}\ntagger dev-1 <dev-1@example.com> 1700000000 +0000\n\n{name}\n".encode()


def _write(store: Path, kind: str, content: bytes) -> str:
    whole = f"{kind} {len(content)}".encode() + b"\0" + content
    name = hashlib.sha1(whole).hexdigest()  # noqa: S324 - git's own object id
    file = store / "objects" / name[:2] / name[2:]
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(whole, 1))
    return name


def sections(
    repository: Repository, prepare: Callable[[Facts], Decision | None], *, prereleases: bool = False
) -> list[Section]:
    """Every section of a history, judged."""
    return [judged(repository, each) for each in section_ranges(repository, prepare, prereleases=prereleases)]
