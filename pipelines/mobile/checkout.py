"""The commit that is checked out around the app: what goes over the air is that, and nothing that was not committed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import LocalError, RefusedError


@dataclass(frozen=True, kw_only=True)
class Head:
    """A commit."""

    commit: str
    subject: str


def head(folder: Path) -> Head:
    """The commit of a folder. Raises RefusedError where the folder holds something else, LocalError where it is in no repository."""
    commit, _, subject = _git(folder, "log", "-1", "--format=%H %s").strip().partition(" ")
    changed = _git(folder, "status", "--porcelain", "--", ".").splitlines()
    if changed:
        raise RefusedError(
            f"{len(changed)} files are not committed: {', '.join(line[3:] for line in changed[:5])}",
            where=str(folder),
            why="nobody could tell later what went over the air",
            next_step="commit them, or `git stash --include-untracked`, then run this again",
        )
    return Head(commit=commit, subject=subject)


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise LocalError(
            f"git cannot be run here: {error.strerror}",
            where=str(folder),
            next_step="install git, and run this in a clone of the platform's repository",
        ) from error
    if done.returncode != 0:
        raise LocalError(
            f"git {arguments[0]} failed: {done.stderr.strip()[:300]}",
            where=str(folder),
            next_step="run this in a clone of the platform's repository",
        )
    return done.stdout
