"""Tokens and exactly what each allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

TokenKind = Literal["classic", "fine-grained", "job", "app"]

LEVELS = ("none", "read", "write", "admin")


@dataclass(kw_only=True)
class Token:
    """A credential. A classic token may what its user may; the other kinds only what `permissions` lists."""

    value: str
    login: str
    kind: TokenKind
    permissions: dict[str, str] | None = None
    """Resource -> level, with underscores as in the REST API: {"pull_requests": "write"}. None: no limit."""
    repository: str | None = None
    """owner/name it is good for; None for all its user can see."""
    run_id: int | None = None
    job_id: int | None = None
    app_id: int | None = None
    """Of an installed app other than GitHub Actions."""
    expires_at: datetime | None = None

    def allows(self, resource: str, level: str) -> bool:
        """Whether the token's own permissions reach `level` on `resource`; metadata can always be read."""
        if self.permissions is None or (resource, level) == ("metadata", "read"):
            return True
        return LEVELS.index(self.permissions.get(resource, "none")) >= LEVELS.index(level)


def normalised(permissions: dict[str, str]) -> dict[str, str]:
    """Permissions as a workflow file spells them (`pull-requests`) in the spelling of the REST API."""
    return {name.replace("-", "_"): level for name, level in permissions.items()}
