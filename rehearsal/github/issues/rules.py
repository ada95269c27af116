"""Who may change issues and comments."""

from __future__ import annotations

from rehearsal.github.accounts.state import at_least
from rehearsal.github.identity import Identity
from rehearsal.github.issues.state import Comment, Issue
from rehearsal.github.problems import forbidden
from rehearsal.github.repositories.state import Repository


def may_edit(identity: Identity, repository: Repository, issue: Issue) -> bool:
    """Authors, and those who may triage, edit, close and reopen an issue."""
    trusted = identity.is_app or at_least(repository.role_of(identity.login), "triage")
    return trusted or issue.user == identity.login


def check_may_edit(identity: Identity, repository: Repository, issue: Issue) -> None:
    """Raise Problem 403 for who may not edit, close or reopen an issue."""
    if not may_edit(identity, repository, issue):
        raise forbidden("Must have triage access to Repository, or be the author.")


def check_may_edit_comment(identity: Identity, repository: Repository, comment: Comment) -> None:
    """Raise Problem 403: others' comments take write access."""
    trusted = identity.is_app or at_least(repository.role_of(identity.login), "write")
    if not trusted and comment.user != identity.login:
        raise forbidden("Must have push access to Repository, or be the author.")
