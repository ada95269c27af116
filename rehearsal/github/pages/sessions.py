"""Browser sessions by cookie, each with the secret that its forms carry."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.github.accounts.state import User
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance

COOKIE = "rehearsal_github_session"
_KEPT = 1_000
_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One message above the next page: what came of a form."""

    tone: str
    """good or bad"""
    text: str


@dataclass(kw_only=True)
class Session:
    key: str
    csrf: str
    """Every form of this session carries it; a foreign site cannot know it."""
    login: str | None = None
    token: str | None = None
    """The token of the sign-in; its limits then hold for the pages too."""
    notices: list[Notice] = field(default_factory=list)

    def take_notices(self) -> list[Notice]:
        """The notices that were not shown yet; each is shown once."""
        taken, self.notices = self.notices, []
        return taken

    def owns(self, csrf: str) -> bool:
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """The sessions of one GitHub, in memory; the oldest make room for new ones."""

    def __init__(self, instance: GitHubInstance) -> None:
        self._instance = instance
        self._all: OrderedDict[str, Session] = OrderedDict()

    def of(self, request: Request) -> Session | None:
        return self._all.get(request.cookies.get(COOKIE, ""))

    def create(self) -> Session:
        """A new session, not signed in yet."""
        session = Session(key=secrets.token_urlsafe(32), csrf=secrets.token_urlsafe(32))
        self._all[session.key] = session
        while len(self._all) > _KEPT:
            self._all.popitem(last=False)
        return session

    def end(self, session: Session) -> None:
        self._all.pop(session.key, None)

    def identity(self, session: Session | None) -> Identity:
        """The user of a session; anonymous without one, and when their account or token is gone."""
        if session is None or session.login is None:
            return Identity()
        user = self._instance.database.users.get(session.login)
        if session.token is None or user is None:
            return Identity(user=user)
        token = self._instance.token(session.token)
        return Identity(user=user, token=token) if token is not None else Identity()

    def users(self) -> list[User]:
        """The accounts one can sign in as."""
        users = self._instance.database.users.values()
        return sorted((user for user in users if user.type == "User"), key=lambda user: user.login)


def set_cookie(response: Response, session: Session) -> Response:
    """Have the browser keep the session."""
    response.set_cookie(COOKIE, session.key, max_age=_SECONDS, httponly=True, samesite="lax")
    return response
