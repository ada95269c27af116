"""The home page, signing in and out, profiles, avatars."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.accounts.rules import may_sign_in, sees
from rehearsal.github.pages import rendering
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.serving import Pages
from rehearsal.github.pages.sessions import set_cookie
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.repositories.state import Repository

pages = Pages()

_AVATAR = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" role="img">\
<rect width="40" height="40" rx="20" fill="hsl({hue} 38% 86%)"/>\
<text x="20" y="26" font-family="system-ui, sans-serif" font-size="18" font-weight="600" text-anchor="middle" \
fill="hsl({hue} 45% 26%)">{initial}</text></svg>"""


@pages.show("/")
async def home(context: PageContext) -> Response:
    seen = sorted(
        (one for one in _all(context) if sees(context.identity, one)), key=lambda one: one.pushed_at, reverse=True
    )
    return context.page("home.html", repositories=seen)


@pages.show("/login")
async def login_form(context: PageContext) -> Response:
    """Without a session there is one from here on, so that the form has something to carry."""
    session = context.session or context.sessions.create()
    onward = _next_path(context.query("next"))
    response = context.page("login.html", users=context.sessions.users(), onward=onward, csrf=session.csrf)
    return set_cookie(response, session)


@pages.take("/login", back="/login", anonymous=True)
async def login(context: PageContext) -> Response:
    """A new session: one from before signing in is worth nothing afterwards."""
    name, value = context.form.text("user"), context.form.text("token").strip()
    if value:
        token = context.instance.token(value)
        if token is None or not may_sign_in(token):
            raise Problem(401, "That token is unknown, expired, or a job's.")
        name = token.login
    if name not in {user.login for user in context.sessions.users()}:
        raise Problem(422, "Choose a user, or paste a token.")
    if context.session is not None:
        context.sessions.end(context.session)
    session = context.sessions.create()
    session.login, session.token = name, value or None
    return set_cookie(context.go(_next_path(context.form.text("next"))), session)


@pages.take("/logout", back="/")
async def logout(context: PageContext) -> Response:
    if context.session is not None:
        context.sessions.end(context.session)
    return context.go("/")


@pages.show("/_avatars/{number}")
async def avatar(context: PageContext) -> Response:
    wanted = context.number("number")
    users = context.instance.database.users.values()
    login = next((user.login for user in users if user.id == wanted), "ghost")
    text = _AVATAR.format(hue=rendering.hue(login), initial=rendering.initial(login))
    return Response(text, media_type="image/svg+xml")


@pages.show("/apps/{name}")
async def app(context: PageContext) -> Response:
    if context.path("name") != "github-actions":
        raise not_found()
    return context.page("app.html")


@pages.show("/{login}")
async def profile(context: PageContext) -> Response:
    user = context.instance.view().user(context.path("login"))
    if user.login != context.path("login"):  # an unknown account is shown as `ghost`, who has a page of that name
        raise not_found()
    seen = [one for one in _all(context) if sees(context.identity, one)]
    return context.page(
        "user.html",
        user=user,
        owned=[one for one in seen if one.owner == user.login],
        member=[(one, one.roles[user.login]) for one in seen if one.roles.get(user.login, "none") != "none"],
    )


def _all(context: PageContext) -> list[Repository]:
    return list(context.instance.database.repositories.values())


def _next_path(path: str) -> str:
    """Where to go after signing in: a path of this site and nothing else."""
    local = path.startswith("/") and not path.startswith(("//", "/\\")) and not any(ord(char) < 32 for char in path)
    return path if local else "/"
