"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.github.state.accounts import User
from rehearsal.github.state.tokens import Token


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The account behind a request and the token it came with; both None for an anonymous one."""

    user: User | None = None
    token: Token | None = None

    @property
    def login(self) -> str:
        return self.user.login if self.user is not None else "anonymous"

    @property
    def is_job(self) -> bool:
        """Made with a job's GITHUB_TOKEN: its events start no workflow, and it acts as the Actions app."""
        return self.token is not None and self.token.kind == "job"
