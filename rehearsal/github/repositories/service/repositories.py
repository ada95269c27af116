"""Repositories: recorded, filled, forked."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rehearsal.github.git.bare import BareRepository
from rehearsal.github.git.objects import Signature
from rehearsal.github.git.trees import write_commit
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.repositories.state import Repository, Settings

_HISTORY = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


def record(
    instance: GitHubInstance,
    owner: str,
    name: str,
    *,
    private: bool,
    default_branch: str,
    settings: Settings,
    fork_of: str | None,
) -> Repository:
    """A repository in the state; its git directory is still to be made."""
    now = instance.now()
    repository = Repository(
        id=instance.database.next_id("repository"),
        owner=owner,
        name=name,
        private=private,
        default_branch=default_branch,
        fork_of=fork_of,
        created_at=now,
        updated_at=now,
        pushed_at=now,
        settings=settings,
    )
    instance.database.repositories[repository.full_name.lower()] = repository
    return repository


async def fork(instance: GitHubInstance, parent: Repository, owner: str) -> Repository:
    """A copy that belongs to another account; the existing one when it was made already."""
    known = instance.database.repository(f"{owner}/{parent.name}")
    if known is not None:
        return known
    made = record(
        instance,
        owner,
        parent.name,
        private=parent.private,
        default_branch=parent.default_branch,
        settings=replace(parent.settings),
        fork_of=parent.full_name,
    )
    await instance.git(made).create(made.default_branch)
    await bring_history(instance, made, instance.git_path(parent))
    return made


async def bring_history(instance: GitHubInstance, repository: Repository, source: Path) -> None:
    """All branches and tags of a repository on this machine."""
    git = instance.git(repository)
    await git.git("fetch", "-q", "--no-write-fetch-head", ".", *_HISTORY, cwd=source)
    async with git.writing:
        await git.reload()


async def commit_files(
    instance: GitHubInstance,
    repository: Repository,
    files: Mapping[str, str | bytes] | Path,
    *,
    branch: str,
    message: str,
    by: Signature,
) -> str:
    """A commit on a branch that puts these files into its tree; a directory replaces the tree. Makes no event."""
    git = instance.git(repository)
    parent = git.branch(branch)
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if isinstance(files, Path):
            await _index(git, files, env)
        else:
            root = Path(folder) / "files"
            _write(root, files)
            if parent is not None:
                await git.git("read-tree", parent, env=env)
            await _index(git, root, env, "--ignore-removal")
        tree = (await git.git("write-tree", env=env)).decode().strip()
    parents = [] if parent is None else [parent]
    sha = await write_commit(git, tree=tree, parents=parents, message=message, author=by, committer=by)
    await git.update_ref(f"refs/heads/{branch}", sha)
    if isinstance(files, Path):
        # A checkout is cloned by every job: of loose objects each clone would make its pack anew, in most of a second.
        await git.git("repack", "-a", "-d", "-q")
    return sha


async def _index(git: BareRepository, folder: Path, env: Mapping[str, str], *options: str) -> None:
    """Put a directory into an index, by its own .gitignore files."""
    await git.git(
        "--work-tree", ".", "-c", "core.bare=false", "add", *(options or ("--all",)), ".", env=env, cwd=folder
    )


def _write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        if content[:2] in ("#!", b"#!"):
            target.chmod(0o755)
