"""The release's own tree, and what the default branch ever had: read from a clone with history."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from pipelines.errors import InputError, RefusedError

CI = ".github/workflows/ci.yml"
CODE = ("actions", "pipelines")
"""What the jobs of that workflow run: the gate of CI is here."""


@contextmanager
def tree(root: Path, commit: str) -> Iterator[Path]:
    """A working tree of a commit, for as long as the block runs. Raises InputError when the clone does not have it."""
    with TemporaryDirectory(prefix="shipmate-") as folder:
        made = Path(folder) / "tree"
        added = _git(root, "worktree", "add", "--quiet", "--detach", str(made), commit)
        if added.returncode != 0:
            raise InputError(
                f"{commit[:7]} cannot be looked at: {added.stderr.strip()}",
                where=str(root),
                why="the checkout does not have the history of the release",
                next_step="git fetch --tags; in a workflow check out with `fetch-depth: 0`",
            )
        try:
            yield made
        finally:
            _git(root, "worktree", "remove", "--force", str(made))


def read(root: Path, commit: str, path: str) -> str:
    """The text of a file in a commit. Raises InputError when the clone has not got it."""
    shown = _git(root, "show", f"{commit}:{path}")
    if shown.returncode != 0:
        raise InputError(
            f"{path} of {commit[:7]} cannot be read: {shown.stderr.strip()}",
            where=str(root),
            why="the checkout does not have the history of that commit, or the commit has no such file",
            next_step="git fetch --tags; in a workflow check out with `fetch-depth: 0`",
        )
    return shown.stdout


def checks_of_its_own(root: Path, commit: str, main: str) -> list[str]:
    """What of a commit's CI the default branch never had: its workflow, the checks of its manifest, the suite that carries them out. In
    words, for people.

    Green means little when the commit brought its own idea of green. What the default branch had is what its head ever was: commits
    of a branch that was merged with a merge commit are its ancestors, too, but were never looked at one by one. A commit that was its
    head has nothing of its own.
    """
    if commit in _git(root, "rev-list", "--first-parent", main).stdout.split():
        return []
    found = []
    workflow = _blob(root, commit, CI)
    if workflow not in {_blob(root, each, CI) for each in _touching(root, main, CI)}:
        found.append(f"{CI} of {commit[:7]} is none that {main} ever had")
    checks = _checks(root, commit)
    if checks not in [_checks(root, each) for each in _touching(root, main, "shipmate.yml")]:
        found.append(f"the checks of {commit[:7]} (shipmate.yml, ci) are none that {main} ever had")
    for folder in CODE:
        own = _blob(root, commit, folder)
        if own not in {_blob(root, each, folder) for each in _touching(root, main, folder)}:
            found.append(f"{folder}/ of {commit[:7]}, which CI runs, is none that {main} ever had")
    return found


def _touching(root: Path, main: str, path: str) -> list[str]:
    """Commits of the default branch, as its head was, that changed a file; and its head."""
    listed = _git(root, "log", "--first-parent", "--format=%H", main, "--", path)
    return [main, *listed.stdout.split()]


def _blob(root: Path, commit: str, path: str) -> str:
    return _git(root, "rev-parse", "--verify", "--quiet", f"{commit}:{path}").stdout.strip()


def _checks(root: Path, commit: str) -> object:
    """The section `ci` of a commit's manifest; None where there is none, or nobody can read it."""
    shown = _git(root, "show", f"{commit}:shipmate.yml")
    if shown.returncode != 0:
        return None
    try:
        loaded = yaml.load(shown.stdout, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return None
    return loaded.get("ci") if isinstance(loaded, dict) else None


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # No hook of a checkout has a say here.
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def commit_of_release(root: Path, release: str, is_line: Callable[[str], bool]) -> str:
    """The commit of a release as people see its name: a tag, or `sha-…` of what was never tagged. It must be on a branch of the remote
    whose name `is_line` accepts: an address may say what it likes, and what it names is checked out and run.

    Raises RefusedError.
    """
    found = re.fullmatch(r"sha-([0-9a-f]{7,40})", release)
    name = found[1] if found else f"refs/tags/{release}"
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").stdout.strip()
    listed = _git(root, "for-each-ref", "--contains", commit, "--format=%(refname:lstrip=3)", "refs/remotes/origin")
    if commit and any(map(is_line, listed.stdout.split())):
        return commit
    raise RefusedError(
        f"{release!r} is no release of this repository",
        where=str(root),
        why="it names no commit of the default branch or of a maintenance line" if commit else "it names no commit",
        next_step="see what is live (`shipmate status`); in a workflow check out with `fetch-depth: 0`",
    )


def has(root: Path, reference: str) -> bool:
    """Whether a clone has a reference."""
    return _git(root, "rev-parse", "--verify", "--quiet", reference).returncode == 0
