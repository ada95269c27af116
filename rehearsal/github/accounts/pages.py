"""The front door: repositories, signing in and out, people."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.accounts.rules import check_sight
from rehearsal.github.pages import rendering
from rehearsal.github.pages.context import Visit
from rehearsal.github.pages.serving import Pages
from rehearsal.github.pages.sessions import give
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.repositories.state import Repository

pages = Pages()

_AVATAR = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" role="img">\
<rect width="40" height="40" rx="20" fill="hsl({hue} 38% 86%)"/>\
<text x="20" y="26" font-family="system-ui, sans-serif" font-size="18" font-weight="600" text-anchor="middle" \
fill="hsl({hue} 45% 26%)">{initial}</text></svg>"""


@pages.show("/")
async def home(visit: Visit) -> Response:
    seen = sorted((one for one in _all(visit) if _sees(visit, one)), key=lambda one: one.pushed_at, reverse=True)
    return visit.page("home.html", repositories=seen)


@pages.show("/login")
async def login_form(visit: Visit) -> Response:
    """Without a session there is one from here on, so that the form has something to carry."""
    session = visit.session or visit.sessions.begin()
    onward = _onward(visit.query("next"))
    response = visit.page("login.html", people=visit.sessions.people(), onward=onward, csrf=session.csrf)
    return give(response, session)


@pages.take("/login", back="/login", anonymous=True)
async def login(visit: Visit) -> Response:
    """A new session: one that was known before somebody signed in is worth nothing afterwards."""
    name, value = visit.form.text("person"), visit.form.text("token").strip()
    if value:
        token = visit.service.token(value)
        if token is None or token.kind == "job":
            raise Problem(401, "That token is unknown, expired, or a job's.")
        name = token.login
    if name not in {user.login for user in visit.sessions.people()}:
        raise Problem(422, "Choose a person, or paste a token.")
    if visit.session is not None:
        visit.sessions.end(visit.session)
    session = visit.sessions.begin()
    session.login, session.token = name, value or None
    return give(visit.go(_onward(visit.form.text("next"))), session)


@pages.take("/logout", back="/")
async def logout(visit: Visit) -> Response:
    if visit.session is not None:
        visit.sessions.end(visit.session)
    return visit.go("/")


@pages.show("/_avatars/{number}")
async def avatar(visit: Visit) -> Response:
    wanted = visit.number("number")
    users = visit.service.database.users.values()
    login = next((user.login for user in users if user.id == wanted), "ghost")
    text = _AVATAR.format(hue=rendering.hue(login), initial=rendering.initial(login))
    return Response(text, media_type="image/svg+xml")


@pages.show("/apps/{name}")
async def app(visit: Visit) -> Response:
    if visit.path("name") != "github-actions":
        raise not_found()
    return visit.page("app.html")


@pages.show("/{login}")
async def person(visit: Visit) -> Response:
    user = visit.service.view().user(visit.path("login"))
    if user.login != visit.path("login"):  # somebody unknown is shown as `ghost`, who has a page of that name
        raise not_found()
    seen = [one for one in _all(visit) if _sees(visit, one)]
    return visit.page(
        "person.html",
        user=user,
        owned=[one for one in seen if one.owner == user.login],
        member=[(one, one.roles[user.login]) for one in seen if one.roles.get(user.login, "none") != "none"],
    )


def _all(visit: Visit) -> list[Repository]:
    return list(visit.service.database.repositories.values())


def _sees(visit: Visit, repository: Repository) -> bool:
    try:
        check_sight(visit.identity, repository)
    except Problem:
        return False
    return True


def _onward(path: str) -> str:
    """Where to go after signing in: a path of this site and nothing else."""
    local = path.startswith("/") and not path.startswith(("//", "/\\")) and not any(ord(char) < 32 for char in path)
    return path if local else "/"
