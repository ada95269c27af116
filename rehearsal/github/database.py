"""All state of this GitHub beside git: accounts, tokens, repositories."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.github.accounts.state import ACTIONS_BOT, MERGE_QUEUE_BOT, App, User
from rehearsal.github.accounts.tokens import Token
from rehearsal.github.repositories.state import Repository

_FIRST_IDS = {"check_run": 50_000_000_000, "check_suite": 40_000_000_000, "app": 900_000, "user": 1_000}


@dataclass(kw_only=True)
class Database:
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    """By full name in lower case: owner and name differ by more than case, as on GitHub."""
    last_ids: dict[str, int] = field(default_factory=dict)

    def next_id(self, kind: str) -> int:
        """A new number, unique among records of its kind."""
        self.last_ids[kind] = self.last_ids.get(kind, _FIRST_IDS.get(kind, 100)) + 1
        return self.last_ids[kind]

    def add_user(
        self, login: str, *, now: datetime, name: str | None = None, email: str | None = None, kind: str = "User"
    ) -> User:
        """Create an account, or return the one of that name."""
        if login not in self.users:
            self.users[login] = User(
                id=self.next_id("user"),
                login=login,
                name=name or login,
                email=email or f"{login.replace('[bot]', '')}@users.noreply.github.com",
                type=kind,
                created_at=now,
            )
        return self.users[login]

    def actions_bot(self, now: datetime) -> User:
        return self.add_user(ACTIONS_BOT, now=now, name="github-actions[bot]", kind="Bot")

    def merge_queue_bot(self, now: datetime) -> User:
        name = MERGE_QUEUE_BOT.removesuffix("[bot]")
        email = f"118344674+{name}@users.noreply.github.com"
        return self.add_user(MERGE_QUEUE_BOT, now=now, name=name, email=email, kind="Bot")

    def user_by_email(self, email: str) -> User | None:
        wanted = email.lower()
        return next((user for user in self.users.values() if user.email.lower() == wanted), None)

    def repository(self, full_name: str) -> Repository | None:
        return self.repositories.get(full_name.lower())

    def forks_of(self, full_name: str) -> list[Repository]:
        return [repository for repository in self.repositories.values() if repository.fork_of == full_name]
