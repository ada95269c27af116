"""What a run is about, asked of git: the files that differ from where the change began.

Only commits from the event are used, never the names of branches: a branch may be called anything. Whatever cannot be determined gives
`Changes(paths=None)`, so that everything runs.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.ci.affected import Changes
from pipelines.errors import InputError

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
TIMEOUT = 60.0
"""Seconds for one git command; a diff of names takes milliseconds."""


class GitSaidNo(Exception):
    """git's own words."""


def of_event(root: Path, name: str, event: Mapping[str, Any]) -> Changes | None:
    """What the event of a workflow brings by itself. `name` is its kind (GITHUB_EVENT_NAME), `event` its payload.

    None for a push: it is judged by where each check last passed, not by the push before, which may have been red.
    """
    if name == "pull_request":
        pull = event.get("pull_request") or {}
        return _since(root, _sha(pull.get("base")), "HEAD", what="the base of the pull request", merge_base=True)
    if name == "merge_group":
        base = str((event.get("merge_group") or {}).get("base_sha") or "")
        return _since(root, base, "HEAD", what="the base of the merge group", merge_base=True)
    if name == "push":
        return _gone(root, str(event.get("before") or ""))
    return Changes(paths=None, unknown=f"a run by {name or 'hand'} checks everything")


def _gone(root: Path, before: str) -> Changes | None:
    """Whether a push replaced a history that nobody has any more: then nothing is known of what came before."""
    if not before.strip("0") or has(root, before):
        return None
    shown = before[:7] if _COMMIT.fullmatch(before) else ascii(before)
    return Changes(
        paths=None, unknown=f"the push before ({shown}) is not in this clone: it was rewritten, or the clone is shallow"
    )


def between(root: Path, commit: str) -> Changes:
    """What differs between a commit below and HEAD."""
    return _since(root, commit, "HEAD", what="a commit that passed", merge_base=False)


def has(root: Path, commit: str) -> bool:
    """Whether the clone has a commit, named by its full hash."""
    try:
        return bool(_COMMIT.fullmatch(commit)) and not _git(root, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitSaidNo:
        return False


def ancestors(root: Path, commit: str, most: int) -> list[str]:
    """A commit and those below it, through every parent, the newest first. Raises GitSaidNo."""
    return _git(root, "rev-list", f"--max-count={most}", "--end-of-options", commit, "--").split()


def first_parent(root: Path, commit: str) -> str:
    """Empty for a first commit. Raises GitSaidNo."""
    return next(iter(_git(root, "rev-list", "--parents", "-n1", "--end-of-options", commit, "--").split()[1:]), "")


def tree(root: Path, commit: str) -> str:
    """The hash of all its files. Raises GitSaidNo."""
    return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{tree}}").strip()


def of_checkout(root: Path, base: str) -> Changes:
    """What a checkout brings that `base` (any name git knows) has not: commits, uncommitted changes and new files.

    Raises InputError when there is no such base.
    """
    try:
        commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").strip()
    except GitSaidNo as error:
        raise InputError(
            f"git knows no commit {base!r}",
            where=str(root),
            why=str(error),
            next_step="name a branch or commit: --base main",
        ) from error
    committed = _since(root, commit, "HEAD", what=base, merge_base=True)
    if committed.paths is None:
        return committed
    try:
        here = _git(root, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", "HEAD", "--")
        new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    except GitSaidNo as error:
        return Changes(paths=None, unknown=f"git cannot compare: {error}")
    paths = dict.fromkeys([*committed.paths, *_split(here), *_split(new)])
    return Changes(paths=tuple(paths), since=f"{base} ({commit[:7]}), with what is not committed")


def usual_base(root: Path) -> str:
    """Where a change usually begins: the default branch of `origin` as last fetched, else `main`."""
    try:
        return _git(root, "rev-parse", "--abbrev-ref", "--verify", "--quiet", "origin/HEAD").strip() or "main"
    except GitSaidNo:
        return "main"


def _since(root: Path, before: str, head: str, *, what: str, merge_base: bool) -> Changes:
    if not _COMMIT.fullmatch(before) or not before.strip("0"):
        return Changes(paths=None, unknown=f"{what} is no commit, so there is nothing to compare with")
    if not has(root, before):
        return Changes(
            paths=None, unknown=f"{what} ({before[:7]}) is not in this clone: it was rewritten, or the clone is shallow"
        )
    try:
        start = _git(root, "merge-base", before, head).strip() if merge_base else before
        names = _git(root, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", start, head, "--")
    except GitSaidNo as error:
        return Changes(paths=None, unknown=f"git cannot compare with {what} ({before[:7]}): {error}")
    return Changes(paths=tuple(_split(names)), since=f"{what} ({start[:7]})")


def _sha(reference: Any) -> str:
    return str(reference.get("sha") or "") if isinstance(reference, Mapping) else ""


def _split(text: str) -> list[str]:
    return [name for name in text.split("\0") if name]


def _git(root: Path, *arguments: str) -> str:
    """Its output; names that are not UTF-8 keep their bytes as surrogates and match no component, which runs everything."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitSaidNo(str(error)) from error
    if done.returncode:
        raise GitSaidNo(done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}")
    return done.stdout.decode(errors="surrogateescape")
