"""Database migrations a release carries, and what each means for a rollback."""

from __future__ import annotations

from typing import NamedTuple

from release.changelog.markdown import Safe, escape
from release.commits.git import Git

RISKS = {
    "expand": "runs before this release gets traffic; going back from it stays safe",
    "contract": "waits until all that serves knows it; once it has run, there is no going back before this release",
    "unmarked": "unknown: its name says neither expand nor contract",
}


class Migration(NamedTuple):
    """One new migration file."""

    name: str
    kind: str
    """expand, contract or unmarked."""
    risk: str
    summary: Safe
    """The first comment in the file."""


def new_migrations(git: Git, folder: str, commit: str, previous: str | None) -> list[Migration]:
    """Migrations in `commit` that `previous` does not have (all of them when there is none), by name."""
    if not folder:
        return []
    spec = f":(top){folder.rstrip('/')}"
    if previous is None:
        listed = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", folder.rstrip("/") + "/")
    else:
        listed = git.run("diff", "--name-only", "-z", "--no-renames", "--diff-filter=A", previous, commit, "--", spec)
    paths = [path for path in listed.decode("utf-8", "surrogateescape").split("\0") if path.endswith(".sql")]
    return [_read(git, commit, path) for path in sorted(paths)]


def _read(git: Git, commit: str, path: str) -> Migration:
    name = path.rsplit("/", 1)[-1]
    kind = next((kind for kind in ("expand", "contract") if name.endswith(f".{kind}.sql")), "unmarked")
    text = (git.file(commit, path) or b"").decode("utf-8", "replace")
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.lstrip("- ").strip())
    return Migration(name, kind, RISKS[kind], escape(" ".join(lines).strip()))
