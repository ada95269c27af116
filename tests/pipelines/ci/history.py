"""A real repository in a folder of a test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Repository:
    """Its first commit has a.txt and b.txt."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.base = self.commit({"a.txt": "a", "b.txt": "b"})

    def git(self, *arguments: str) -> str:
        identity = {
            f"GIT_{who}_{what}": "dev-1@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        environ = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments], env=environ, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, str]) -> str:
        """The new commit."""
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, files: dict[str, str]) -> str:
        """A commit on a new branch from where we are; we stay there."""
        before = self.git("symbolic-ref", "--short", "HEAD")
        self.git("checkout", "-q", "-b", name)
        made = self.commit(files)
        self.git("checkout", "-q", before)
        return made

    def merge(self, branch: str) -> str:
        """*Merge pull request*; the merge."""
        self.git("merge", "-q", "--no-ff", "-m", "merge", branch)
        return self.head()

    def merge_of_pull(self, branch: str) -> None:
        """HEAD as a pull request's run has it: the merge of the branch into main, detached."""
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", branch)
