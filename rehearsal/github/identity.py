"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.github.accounts.state import ACTIONS_APP_ID, User
from rehearsal.github.accounts.tokens import Token


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The account behind a request and the token it came with; both None for an anonymous one."""

    user: User | None = None
    token: Token | None = None

    @property
    def login(self) -> str:
        return self.user.login if self.user is not None else "anonymous"

    @property
    def is_app(self) -> bool:
        """An app's token, that of GitHub Actions for a job or that of another one: it has no role, only permissions."""
        return self.token is not None and self.token.kind in ("job", "app")

    @property
    def app_id(self) -> int | None:
        """The app behind the token; None for a user."""
        if self.token is None or not self.is_app:
            return None
        return ACTIONS_APP_ID if self.is_job else self.token.app_id

    @property
    def is_job(self) -> bool:
        """Made with a job's GITHUB_TOKEN: its events start no workflow, and it acts as the Actions app."""
        return self.token is not None and self.token.kind == "job"
