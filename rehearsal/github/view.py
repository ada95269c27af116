"""What every renderer needs: the accounts, and the addresses that links are made of."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from rehearsal.github.accounts.state import User
from rehearsal.github.database import Database
from rehearsal.github.repositories.state import Repository

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, kw_only=True)
class View:
    """One reader's view of the database. `api` and `html` are base addresses without a trailing slash."""

    database: Database
    api: str
    html: str

    def user(self, login: str) -> User:
        """An account; a deleted one is shown as GitHub's `ghost`."""
        ghost = User(id=10137, login="ghost", name="Deleted user", email="", created_at=_EPOCH)
        return self.database.users.get(login, ghost)

    def repo(self, repository: Repository) -> str:
        """API address of a repository."""
        return f"{self.api}/repos/{repository.full_name}"

    def page(self, repository: Repository) -> str:
        """Web address of a repository."""
        return f"{self.html}/{repository.full_name}"


def stamp(at: datetime) -> str:
    """2026-11-22T18:00:00Z"""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def node_id(kind: str, number: int | str) -> str:
    """The GraphQL id of a record: opaque to clients, decodable by `from_node_id`."""
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")


def from_node_id(node: str) -> tuple[str, str]:
    """Kind and number of a GraphQL id. Raises ValueError for what is none."""
    padded = node + "=" * (-len(node) % 4)
    kind, _, number = base64.urlsafe_b64decode(padded).decode("utf-8").partition(":")
    return kind, number


def quoted(path: str) -> str:
    """A path for a URL, its slashes kept."""
    return quote(path, safe="/")
