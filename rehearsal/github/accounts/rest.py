"""Users, collaborators, and how many requests are left."""

from __future__ import annotations

from rehearsal.github.accounts import render
from rehearsal.github.accounts.rate_limit import Allowance
from rehearsal.github.accounts.rules import check_no_app
from rehearsal.github.accounts.state import ROLES, at_least
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.rest.answers import Answer, no_content, ok
from rehearsal.github.rest.authentication import ANONYMOUS_LIMIT, LIMITS, allowance_of, reset_at
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()

_GIVEN_ROLES = {"pull": "read", "push": "write"}


@endpoints.add("GET", "/user")
async def get_me(call: Call) -> Answer:
    check_no_app(call.identity)
    return ok(render.private_user(call.view, call.user))


@endpoints.add("GET", "/users/{login}")
async def get_user(call: Call) -> Answer:
    user = call.instance.database.users.get(call.path("login"))
    if user is None:
        raise not_found()
    return ok(render.public_user(call.view, user))


@endpoints.add("GET", "collaborators", "metadata:read", role="write")
async def list_collaborators(call: Call) -> Answer:
    page = call.page([login for login, role in call.repository.roles.items() if role != "none"])
    return page.answer([render.collaborator(call.view, call.repository, login) for login in page.items])


@endpoints.add("GET", "collaborators/{login}/permission", "metadata:read", role="read")
async def get_permission(call: Call) -> Answer:
    """404 for everything that is no user: an app's bot, an organisation, a name nobody has."""
    login = call.path("login")
    user = call.instance.database.users.get(login)
    if user is None or user.type != "User":
        raise Problem(404, f"{login} is not a user")
    return ok(render.collaborator_permission(call.view, call.repository, login))


@endpoints.add("GET", "collaborators/{login}", "metadata:read", role="write")
async def check_collaborator(call: Call) -> Answer:
    if not at_least(call.repository.roles.get(call.path("login"), "none"), "read"):
        raise not_found()
    return no_content()


@endpoints.add("PUT", "collaborators/{login}", "administration:write")
async def add_collaborator(call: Call) -> Answer:
    """Here nobody has to accept an invitation."""
    login = call.path("login")
    if login not in call.instance.database.users:
        raise not_found()
    given = call.fields.text("permission", "push")
    role = _GIVEN_ROLES.get(given, given)
    if role not in ROLES:
        raise Problem(422, f"{given!r} is not a permission")
    call.repository.roles[login] = role
    return no_content()


@endpoints.add("DELETE", "collaborators/{login}", "administration:write")
async def remove_collaborator(call: Call) -> Answer:
    call.repository.roles.pop(call.path("login"), None)
    return no_content()


@endpoints.add("GET", "/rate_limit", free=True)
async def get_rate_limit(call: Call) -> Answer:
    token = call.identity.token
    limit = LIMITS[token.kind] if token is not None else ANONYMOUS_LIMIT
    allowance = allowance_of(call.instance, token) if token is not None else Allowance()
    reset = reset_at(call.instance, allowance)
    rate = {"limit": limit, "used": allowance.used, "remaining": limit - allowance.used, "reset": reset}
    search = {**rate, "limit": 30, "used": 0, "remaining": 30}
    return ok({"resources": {"core": rate, "search": search, "graphql": rate}, "rate": rate})
