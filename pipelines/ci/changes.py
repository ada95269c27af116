"""What a run is about, asked of git: the files that differ from where the change began.

Only commits from the event are used, never the names of branches: a branch may be called anything. Whatever cannot be told gives
`Changes(paths=None)`, so that everything runs.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipelines.ci.affected import Changes
from pipelines.errors import InputError

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
LOOKED_AT = 20
"""Commits, for one that passed; further back, everything is checked."""
TIMEOUT = 60.0
"""Seconds for one git command; a diff of names takes milliseconds."""


class _GitSaidNo(Exception):
    """git's own words."""


def of_event(
    root: Path, name: str, event: Mapping[str, Any], *, passed: Callable[[str], bool] | None = None
) -> Changes:
    """What the event of a workflow brings. `name` is its kind (GITHUB_EVENT_NAME), `event` its payload.

    `passed` says whether CI found a commit well. A push is then compared with the newest commit below it that passed: what
    came since was either never checked, or found bad. Without it, with the push before.
    """
    if name == "pull_request":
        pull = event.get("pull_request") or {}
        base, head = _sha(pull.get("base")), "HEAD"
        return _since(root, base, head, what="the base of the pull request", merge_base=True)
    if name == "push" and passed is not None:
        return _since_passed(root, passed)
    if name == "push":
        return _since(root, str(event.get("before") or ""), "HEAD", what="the push before", merge_base=False)
    return Changes(paths=None, unknown=f"a run by {name or 'hand'} checks everything")


def of_checkout(root: Path, base: str) -> Changes:
    """What a checkout brings that `base` (any name git knows) has not: commits, uncommitted changes and new files.

    Raises InputError when there is no such base.
    """
    try:
        commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").strip()
    except _GitSaidNo as error:
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
    except _GitSaidNo as error:
        return Changes(paths=None, unknown=f"git cannot compare: {error}")
    paths = dict.fromkeys([*committed.paths, *_split(here), *_split(new)])
    return Changes(paths=tuple(paths), since=f"{base} ({commit[:7]}), with what is not committed")


def usual_base(root: Path) -> str:
    """Where a change usually begins: the default branch of `origin` as last fetched, else `main`."""
    try:
        return _git(root, "rev-parse", "--abbrev-ref", "--verify", "--quiet", "origin/HEAD").strip() or "main"
    except _GitSaidNo:
        return "main"


def _since_passed(root: Path, passed: Callable[[str], bool]) -> Changes:
    try:
        below = _git(root, "rev-list", "--first-parent", f"--max-count={LOOKED_AT + 1}", "HEAD").split()[1:]
    except _GitSaidNo as error:
        return Changes(paths=None, unknown=f"git cannot say what came before: {error}")
    proved = next((commit for commit in below if passed(commit)), None)
    if proved is None:
        return Changes(paths=None, unknown=f"none of the {len(below)} commits before it passed CI")
    return _since(root, proved, "HEAD", what="the newest commit below that passed CI", merge_base=False)


def _since(root: Path, before: str, head: str, *, what: str, merge_base: bool) -> Changes:
    if not _COMMIT.fullmatch(before) or not before.strip("0"):
        return Changes(paths=None, unknown=f"{what} is no commit, so there is nothing to compare with")
    try:
        _git(root, "cat-file", "-e", f"{before}^{{commit}}")
    except _GitSaidNo:
        return Changes(
            paths=None, unknown=f"{what} ({before[:7]}) is not in this clone: it was rewritten, or the clone is shallow"
        )
    try:
        start = _git(root, "merge-base", before, head).strip() if merge_base else before
        names = _git(root, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", start, head, "--")
    except _GitSaidNo as error:
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
        raise _GitSaidNo(str(error)) from error
    if done.returncode:
        raise _GitSaidNo(done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}")
    return done.stdout.decode(errors="surrogateescape")
