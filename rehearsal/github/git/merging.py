"""Merges, squashes and rebases without a working tree (git 2.38 or newer: `merge-tree --write-tree`)."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.github.git.bare import BareRepository
from rehearsal.github.git.history import between
from rehearsal.github.git.objects import Signature
from rehearsal.github.git.trees import write_commit


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Two commits that do not merge by themselves."""

    paths: tuple[str, ...]


async def merged_tree(git: BareRepository, base: str, head: str) -> str | Conflict:
    """The tree of a clean merge of two commits, or what stands in its way."""
    code, output = await git.outcome(
        "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", base, head, accept=(0, 1, 128)
    )
    words = [word for word in output.decode("utf-8", "replace").split("\0") if word]
    if code == 0:
        return words[0]
    return Conflict(paths=tuple(words[1:]))


async def merge(
    git: BareRepository, base: str, head: str, *, message: str, author: Signature, by: Signature
) -> str | Conflict:
    """A merge commit with base as its first parent."""
    tree = await merged_tree(git, base, head)
    if isinstance(tree, Conflict):
        return tree
    return await write_commit(git, tree=tree, parents=[base, head], message=message, author=author, committer=by)


async def squash(
    git: BareRepository, base: str, head: str, *, message: str, author: Signature, by: Signature
) -> str | Conflict:
    """One commit on base with everything head adds."""
    tree = await merged_tree(git, base, head)
    if isinstance(tree, Conflict):
        return tree
    return await write_commit(git, tree=tree, parents=[base], message=message, author=author, committer=by)


async def rebase(git: BareRepository, base: str, head: str, *, by: Signature) -> str | Conflict:
    """Every commit of head that base lacks, again on top of base; merges are left out as git does."""
    tip = base
    for commit in await between(git, base, head):
        if len(commit.parents) != 1:
            continue
        # A stand-in with the tip's tree and the commit's own parent makes that parent the merge base
        # (`merge-tree --merge-base` says this directly, from git 2.40 on).
        tip_tree = (await git.commit(tip)).tree
        stand_in = await write_commit(
            git, tree=tip_tree, parents=[commit.parents[0]], message="pick", author=by, committer=by
        )
        tree = await merged_tree(git, stand_in, commit.sha)
        if isinstance(tree, Conflict):
            return tree
        tip = await write_commit(
            git, tree=tree, parents=[tip], message=commit.message, author=commit.author, committer=by
        )
    return tip
