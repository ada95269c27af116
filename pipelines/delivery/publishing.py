"""Ask before anything is deployed whether the release could be published at the end: by then users would have it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError, InputError

if TYPE_CHECKING:
    from pipelines.delivery.context import Candidate, Delivery

UNSEEN = "drafts of others: GitHub shows them only to tokens that may write contents, so publishing asks again"


def require_publishable(delivery: Delivery, candidate: Candidate) -> list[str]:
    """What was found well, for people. Reads only. Raises the error that publishing would end with: the gates', Withdrawn, …"""
    from release.gates import Closed
    from release.github_forge import GitHubForge
    from release.releasing import Asked, preview
    from release.workplace import Workplace

    if delivery.github is None:
        raise CredentialsError("releases are asked of GitHub", next_step="pass `token: ${{ github.token }}`")
    with _tree(delivery.manifest.root, candidate.commit) as folder:
        workplace = Workplace(folder=folder, commit=candidate.commit, environ=delivery.runtime.environ)
        asked = Asked(version=candidate.release)
        found = preview(workplace, asked, forge=GitHubForge(delivery.github), with_files=False)
    if found.blocked is not None:
        raise found.blocked
    if not found.steps:
        return ["it is out already"]
    for answer in found.answers:
        if isinstance(answer, Closed):
            raise answer.error
    return [*(f"{answer.gate}: {answer.told}" for answer in found.answers if not isinstance(answer, Closed)), UNSEEN]


@contextmanager
def _tree(root: Path, commit: str) -> Iterator[Path]:
    """A working tree of the release's own commit, whose manifest and rules count when it is published."""
    with TemporaryDirectory(prefix="shipmate-") as folder:
        tree = Path(folder) / "tree"
        made = _git(root, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        if made.returncode != 0:
            raise InputError(
                f"{commit[:7]} cannot be looked at: {made.stderr.strip()}",
                where=str(root),
                why="the checkout does not have the history of the release",
                next_step="check out with `fetch-depth: 0`",
            )
        try:
            yield tree
        finally:
            _git(root, "worktree", "remove", "--force", str(tree))


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # No hook of a checkout has a say here.
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
