"""Commits, comparisons, and git's own objects."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from rehearsal.github.accounts.render import of_user
from rehearsal.github.git.history import FileChange
from rehearsal.github.git.objects import Commit, Signature, TagObject
from rehearsal.github.git.trees import TreeEntry
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, node_id, quoted, stamp

UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def git_user(signature: Signature) -> dict[str, Any]:
    return {"name": signature.name, "email": signature.email, "date": stamp(signature.at)}


def account(view: View, signature: Signature) -> dict[str, Any] | None:
    """The account whose address a commit carries."""
    user = view.database.user_by_email(signature.email)
    return None if user is None else of_user(view, user)


def commit(view: View, repository: Repository, one: Commit) -> dict[str, Any]:
    here = view.repo(repository)
    return {
        "sha": one.sha,
        "node_id": node_id("Commit", one.sha),
        "commit": {
            "author": git_user(one.author),
            "committer": git_user(one.committer),
            "message": one.message,
            "tree": {"sha": one.tree, "url": f"{here}/git/trees/{one.tree}"},
            "url": f"{here}/git/commits/{one.sha}",
            "comment_count": 0,
            "verification": _verification(repository, one),
        },
        "url": f"{here}/commits/{one.sha}",
        "html_url": f"{view.page(repository)}/commit/{one.sha}",
        "comments_url": f"{here}/commits/{one.sha}/comments",
        "author": account(view, one.author),
        "committer": account(view, one.committer),
        "parents": [_parent(view, repository, sha) for sha in one.parents],
    }


def _verification(repository: Repository, one: Commit) -> dict[str, Any]:
    """GitHub signs what it makes itself; users' keys are not known here."""
    if one.sha not in repository.signed:
        return UNSIGNED
    text = f"tree {one.tree}\n\n{one.message}"
    signed = {"signature": "-----BEGIN PGP SIGNATURE-----", "payload": text, "verified_at": stamp(one.committer.at)}
    return {"verified": True, "reason": "valid", **signed}


def _parent(view: View, repository: Repository, sha: str) -> dict[str, Any]:
    return {
        "sha": sha,
        "url": f"{view.repo(repository)}/commits/{sha}",
        "html_url": f"{view.page(repository)}/commit/{sha}",
    }


def commit_with_files(
    view: View, repository: Repository, one: Commit, files: Sequence[FileChange], shown: Sequence[FileChange]
) -> dict[str, Any]:
    """A commit with its figures over all `files`, listing those `shown` on this page."""
    additions = sum(file.additions for file in files)
    deletions = sum(file.deletions for file in files)
    return {
        **commit(view, repository, one),
        "stats": {"total": additions + deletions, "additions": additions, "deletions": deletions},
        "files": [diff_entry(view, repository, one.sha, file) for file in shown],
    }


def simple_commit(one: Commit) -> dict[str, Any]:
    """The short form inside runs and check suites."""
    return {
        "id": one.sha,
        "tree_id": one.tree,
        "message": one.message,
        "timestamp": stamp(one.committer.at),
        "author": {"name": one.author.name, "email": one.author.email},
        "committer": {"name": one.committer.name, "email": one.committer.email},
    }


def git_commit(view: View, repository: Repository, one: Commit) -> dict[str, Any]:
    here = view.repo(repository)
    return {
        "sha": one.sha,
        "node_id": node_id("Commit", one.sha),
        "url": f"{here}/git/commits/{one.sha}",
        "html_url": f"{view.page(repository)}/commit/{one.sha}",
        "author": git_user(one.author),
        "committer": git_user(one.committer),
        "tree": {"sha": one.tree, "url": f"{here}/git/trees/{one.tree}"},
        "message": one.message,
        "parents": [_parent(view, repository, sha) for sha in one.parents],
        "verification": _verification(repository, one),
    }


def diff_entry(view: View, repository: Repository, sha: str, file: FileChange) -> dict[str, Any]:
    path = quoted(file.path)
    page = view.page(repository)
    body: dict[str, Any] = {
        "sha": file.sha,
        "filename": file.path,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{view.repo(repository)}/contents/{path}?ref={sha}",
    }
    if file.previous_path is not None:
        body["previous_filename"] = file.previous_path
    if file.patch is not None:
        body["patch"] = file.patch
    return body


def git_ref(view: View, repository: Repository, ref: str, sha: str, kind: str) -> dict[str, Any]:
    here = view.repo(repository)
    return {
        "ref": ref,
        "node_id": node_id("Ref", f"{repository.id}/{ref}"),
        "url": f"{here}/git/{quoted(ref)}",
        "object": {"sha": sha, "type": kind, "url": f"{here}/git/{kind}s/{sha}"},
    }


def git_tag(view: View, repository: Repository, one: TagObject) -> dict[str, Any]:
    here = view.repo(repository)
    return {
        "node_id": node_id("Tag", one.sha),
        "sha": one.sha,
        "url": f"{here}/git/tags/{one.sha}",
        "tag": one.tag,
        "message": one.message,
        "tagger": git_user(one.tagger),
        "object": {
            "sha": one.target,
            "type": one.target_type,
            "url": f"{here}/git/{one.target_type}s/{one.target}",
        },
        "verification": UNSIGNED,
    }


def git_tree(view: View, repository: Repository, sha: str, entries: Sequence[TreeEntry]) -> dict[str, Any]:
    here = view.repo(repository)
    return {
        "sha": sha,
        "url": f"{here}/git/trees/{sha}",
        "truncated": False,
        "tree": [_tree_entry(here, entry) for entry in entries],
    }


def _tree_entry(here: str, entry: TreeEntry) -> dict[str, Any]:
    body: dict[str, Any] = {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
    if entry.type != "commit":
        body["url"] = f"{here}/git/{entry.type}s/{entry.sha}"
    return body if entry.size is None else {**body, "size": entry.size}


def blob(view: View, repository: Repository, sha: str, content: bytes) -> dict[str, Any]:
    return {
        "sha": sha,
        "node_id": node_id("Blob", sha),
        "size": len(content),
        "url": f"{view.repo(repository)}/git/blobs/{sha}",
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }


def comparison(
    view: View,
    repository: Repository,
    *,
    spec: str,
    base: Commit,
    merge_base: Commit,
    ahead_behind: tuple[int, int],
    commits: Sequence[Commit],
    files: Sequence[dict[str, Any]] | None,
) -> dict[str, Any]:
    """`spec` is the `base...head` as asked for; `files` None leaves them out (pages after the first)."""
    ahead, behind = ahead_behind
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}.get(
        (ahead > 0, behind > 0), "diverged"
    )
    page = f"{view.page(repository)}/compare/{quoted(spec)}"
    body = {
        "url": f"{view.repo(repository)}/compare/{quoted(spec)}",
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": commit(view, repository, base),
        "merge_base_commit": commit(view, repository, merge_base),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [commit(view, repository, one) for one in commits],
    }
    return body if files is None else {**body, "files": list(files)}
