"""From HTTP to a page and back: session, permission, CSRF, errors as pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rehearsal.github.accounts.rules import check, check_sight
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.pages import forms, rendering
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.forms import Form
from rehearsal.github.pages.sessions import Notice, Session, Sessions
from rehearsal.github.problems import Problem
from rehearsal.github.repositories.state import Repository
from rehearsal.runner.hub import InputError, NotAllowed

Handler = Callable[[PageContext], Awaitable[Response]]

_REPOSITORY = "/{owner}/{repo}"
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "style-src 'unsafe-inline'",
            f"script-src {rendering.SCRIPT_SOURCE}",
            "connect-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""Nothing from elsewhere is loaded, and no script runs but the one the layout brings."""


@dataclass(frozen=True, kw_only=True)
class PageEndpoint:
    """One address that is opened (GET), or one form that is sent (POST)."""

    method: str
    path: str
    handler: Handler
    needs: tuple[str, ...] = ()
    """What sending the form takes, as for the REST API; looking takes only that one may see the repository."""
    role: str | None = None
    back: str = "/"
    """The page a form leads back to, with the names of its own path."""
    anonymous: bool = False
    """A form anybody may send."""


class Pages:
    """The pages of one domain."""

    def __init__(self) -> None:
        self.all: list[PageEndpoint] = []

    def show(self, path: str) -> Callable[[Handler], Handler]:
        """Decorator. A path beginning with a slash is whole; any other lies under /{owner}/{repo}."""

        def keep(handler: Handler) -> Handler:
            self.all.append(PageEndpoint(method="GET", path=_whole(path), handler=handler))
            return handler

        return keep

    def take(
        self, path: str, *needs: str, back: str, role: str | None = None, anonymous: bool = False
    ) -> Callable[[Handler], Handler]:
        """Decorator for what a form sends; `needs` and `role` as in accounts.rules.check."""

        def keep(handler: Handler) -> Handler:
            self.all.append(
                PageEndpoint(
                    method="POST",
                    path=_whole(path),
                    handler=handler,
                    needs=needs,
                    role=role,
                    back=_whole(back),
                    anonymous=anonymous,
                )
            )
            return handler

        return keep


def _whole(path: str) -> str:
    return path if path.startswith("/") else f"{_REPOSITORY}{'/' if path else ''}{path}"


def routes(instance: GitHubInstance, sessions: Sessions, pages: Sequence[PageEndpoint]) -> list[Route]:
    """Starlette routes, in the order given: of two that match, the first one answers."""
    return [
        Route(page.path, _PageServer(instance, sessions, page).serve, methods=[page.method], name=page.handler.__name__)
        for page in pages
    ]


class _PageServer:
    """Serves one page."""

    def __init__(self, instance: GitHubInstance, sessions: Sessions, page: PageEndpoint) -> None:
        self._instance = instance
        self._sessions = sessions
        self._page = page

    async def serve(self, request: Request) -> Response:
        session = self._sessions.of(request)
        identity = self._sessions.identity(session)
        try:
            response = await (self._show if self._page.method == "GET" else self._take)(request, session, identity)
        except Problem as problem:
            response = self._context(request, session, identity, None, Form()).page(
                "problem.html", status=problem.status, problem=problem
            )
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    async def _show(self, request: Request, session: Session | None, identity: Identity) -> Response:
        found = self._found(request, identity)
        return await self._page.handler(self._context(request, session, identity, found, Form()))

    async def _take(self, request: Request, session: Session | None, identity: Identity) -> Response:
        """A refusal is shown as a notice on the page the form leads back to."""
        back = quote(self._page.back.format(**request.path_params), safe="/?=&#")
        if identity.user is None and not self._page.anonymous:
            return RedirectResponse(f"/login?{urlencode({'next': back})}", 303)
        form = await forms.read(request)
        if session is None or not session.owns(form.text("csrf")):
            raise Problem(403, "This form is out of date. Go back, reload the page, and send it again.")
        found = self._found(request, identity)
        try:
            if found is not None and self._page.needs:
                check(identity, found, self._page.needs, self._page.role)
            return await self._page.handler(self._context(request, session, identity, found, form))
        except (Problem, InputError, NotAllowed) as refusal:
            session.notices.append(Notice(tone="bad", text=reason(refusal)))
            return RedirectResponse(back, 303)

    def _found(self, request: Request, identity: Identity) -> Repository | None:
        values = request.path_params
        if "repo" not in values:
            return None
        repository = self._instance.repository(f"{values['owner']}/{values['repo'].removesuffix('.git')}")
        check_sight(identity, repository)
        return repository

    def _context(
        self, request: Request, session: Session | None, identity: Identity, found: Repository | None, form: Form
    ) -> PageContext:
        return PageContext(
            instance=self._instance,
            sessions=self._sessions,
            request=request,
            session=session,
            identity=identity,
            form=form,
            found=found,
        )


def reason(refusal: Exception) -> str:
    """A refusal as one text for the page: its message, or what its fields say."""
    if not isinstance(refusal, Problem):
        return str(refusal)
    details = [_detail(error) for error in refusal.errors or []]
    if refusal.message in ("Validation Failed", "Unprocessable Entity") and any(details):
        return ". ".join(detail for detail in details if detail)
    return refusal.message


def _detail(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    words = str(error.get("code", "")).replace("_", " ")
    return str(error.get("message") or f"{error.get('resource', '')} {error.get('field', '')}: {words}".strip())
