"""Access: what a role in a repository and the permissions of a token allow."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.github.accounts.state import at_least
from rehearsal.github.accounts.tokens import Token
from rehearsal.github.identity import Identity
from rehearsal.github.problems import Problem, forbidden, not_found
from rehearsal.github.repositories.state import Repository

_ADMIN_RESOURCES = frozenset({"administration", "environments"})
"""Writing these takes an administrator."""


def check(identity: Identity, repository: Repository, needs: Sequence[str], role: str | None = None) -> None:
    """Let pass, or raise Problem 404 (must not know of it), 401 or 403.

    `needs` are alternatives like "contents:read"; `role` is the weakest role that will do, by default read for
    reading, admin for administration and write for everything else.
    """
    check_sight(identity, repository)
    resource, _, level = needs[0].partition(":")
    if identity.user is None and level != "read":
        raise Problem(401, "Requires authentication")
    _check_token(identity, repository, needs)
    wanted = role or _usual_role(resource, level)
    if not identity.is_app and not at_least(repository.role_of(identity.login), wanted):
        raise _role_missing(wanted)


def may(identity: Identity, repository: Repository, *needs: str, role: str | None = None) -> bool:
    """Whether `check` lets a signed-in identity pass."""
    if identity.user is None:
        return False
    try:
        check(identity, repository, needs, role)
    except Problem:
        return False
    return True


def sees(identity: Identity, repository: Repository) -> bool:
    """Whether an identity may know of a repository."""
    try:
        check_sight(identity, repository)
    except Problem:
        return False
    return True


def check_no_app(identity: Identity) -> None:
    """Raise Problem 403 for the token of an app, a job's too: some things only users do."""
    if identity.is_app:
        raise forbidden("Resource not accessible by integration")


def may_sign_in(token: Token) -> bool:
    """Whether a token can open a session in a browser: a job's and an app's cannot."""
    return token.kind not in ("job", "app")


def check_sight(identity: Identity, repository: Repository) -> None:
    """Raise Problem 404 for a repository that this identity cannot even see."""
    token = identity.token
    if token is not None and token.repository is not None and token.repository != repository.full_name:
        if repository.private:
            raise not_found()
        return
    if not identity.is_app and not at_least(repository.role_of(identity.login), "read"):
        raise not_found()


def role_in(identity: Identity, repository: Repository) -> str:
    """The role shown as `permissions`; an app writes if it may write contents."""
    if identity.is_app:
        return "write" if identity.token is not None and identity.token.allows("contents", "write") else "read"
    return repository.role_of(identity.login)


def _check_token(identity: Identity, repository: Repository, needs: Sequence[str]) -> None:
    token = identity.token
    if token is None:
        return
    reads = all(need.endswith(":read") for need in needs)
    if token.repository is not None and token.repository != repository.full_name:
        if reads and not repository.private:
            return
        raise _token_too_weak(identity, needs)
    if token.permissions is None:
        return
    if not any(token.allows(*_split(need)) for need in needs) and not _public_read(identity, repository, needs):
        raise _token_too_weak(identity, needs)


def _public_read(identity: Identity, repository: Repository, needs: Sequence[str]) -> bool:
    """What anybody may read of a public repository needs no permission of a user's token. An app is held to
    its own list."""
    return not repository.private and not identity.is_app and all(need.endswith(":read") for need in needs)


def _token_too_weak(identity: Identity, needs: Sequence[str]) -> Problem:
    kind = "integration" if identity.is_app else "personal access token"
    return forbidden(f"Resource not accessible by {kind}", "; ".join(need.replace(":", "=") for need in needs))


def _role_missing(wanted: str) -> Problem:
    if wanted == "admin":
        return forbidden("Must have admin rights to Repository.")
    return forbidden(f"Must have {'push' if wanted == 'write' else wanted} access to Repository.")


def _usual_role(resource: str, level: str) -> str:
    if level == "read":
        return "read"
    return "admin" if resource in _ADMIN_RESOURCES else "write"


def _split(need: str) -> tuple[str, str]:
    resource, _, level = need.partition(":")
    return resource, level


def may_administer(identity: Identity, repository: Repository) -> bool:
    """Whether an identity sees what only administrators see."""
    if identity.token is None or not identity.token.allows("administration", "write"):
        return False
    return identity.is_app or repository.role_of(identity.login) == "admin"
