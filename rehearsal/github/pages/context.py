"""One request as a page sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response

from rehearsal.github.accounts.rules import may
from rehearsal.github.pages import rendering
from rehearsal.github.pages.forms import Form
from rehearsal.github.pages.sessions import Notice, Session, Sessions
from rehearsal.github.repository_request import RepositoryRequest

REFRESH = "x-refresh"
"""Sent by a page that polls itself: it has shown its notices already."""


@dataclass(frozen=True, kw_only=True)
class PageContext(RepositoryRequest):
    """The request of a page; `form` is what was sent."""

    sessions: Sessions
    session: Session | None
    form: Form

    @property
    def home(self) -> str:
        """Path of the repository's page."""
        return "" if self.found is None else f"/{self.found.full_name}"

    def may(self, *needs: str, role: str | None = None) -> bool:
        """Whether this user may do what takes these permissions and this role (see accounts.rules.check)."""
        return may(self.identity, self.repository, *needs, role=role)

    def add_notice(self, tone: str, text: str) -> None:
        """A notice for the next page."""
        if self.session is not None:
            self.session.notices.append(Notice(tone=tone, text=text))

    def page(self, template: str, *, status: int = 200, live: float = 0, **context: Any) -> Response:
        """A page. With `live` it polls itself that often (seconds); unchanged it is answered 304."""
        now = self.instance.now()
        body = rendering.render(template, {**self._frame(now, live), **context})
        tag = rendering.tag(body, now)
        headers = {"ETag": tag, "Cache-Control": "no-store"}
        if live and status == 200 and self.request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(body, status, headers)

    def go(self, path: str) -> Response:
        """Lead the browser to a page of this site, after a form. `path` is not escaped yet."""
        return RedirectResponse(quote(path, safe="/?=&#%"), 303)

    def _frame(self, now: datetime, live: float) -> Mapping[str, Any]:
        """What the layout of every page shows."""
        refreshed = REFRESH in self.request.headers
        notices = self.session.take_notices() if self.session is not None and not refreshed else []
        return {
            "now": now,
            "live": int(live * 1000),
            "me": self.identity.user.login if self.identity.user is not None else None,
            "csrf": self.session.csrf if self.session is not None else "",
            "notices": notices,
            "repository": self.found,
            "home": self.home,
            "here": self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "view": self.instance.view(),
        }
