"""Secrets (their names and dates; sealed values in, no value out) and variables, of repositories and environments."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from nacl.exceptions import CryptoError
from nacl.public import SealedBox

from rehearsal.github.environments.rest import environment_of
from rehearsal.github.environments.state import Environment
from rehearsal.github.problems import Problem, conflict, not_found
from rehearsal.github.repositories.state import Repository
from rehearsal.github.rest.answers import Answer, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints, Handler
from rehearsal.github.secrets import render
from rehearsal.github.secrets.service import set_secret, set_variable

endpoints = Endpoints()

Holder = Callable[[Call], Repository | Environment]


def _register(prefix: str, holder: Holder, needs: tuple[str, str]) -> None:
    """The same endpoints for the repository and for each environment."""
    secrets, variables = needs
    listed: list[tuple[str, str, str, Handler]] = [
        ("GET", f"{prefix}/secrets", f"{secrets}:read", _list_secrets(holder)),
        ("GET", f"{prefix}/secrets/public-key", f"{secrets}:read", _public_key),
        ("GET", f"{prefix}/secrets/{{name}}", f"{secrets}:read", _get_secret(holder)),
        ("PUT", f"{prefix}/secrets/{{name}}", f"{secrets}:write", _put_secret(holder)),
        ("DELETE", f"{prefix}/secrets/{{name}}", f"{secrets}:write", _delete_secret(holder)),
        ("GET", f"{prefix}/variables", f"{variables}:read", _list_variables(holder)),
        ("POST", f"{prefix}/variables", f"{variables}:write", _create_variable(holder)),
        ("GET", f"{prefix}/variables/{{name}}", f"{variables}:read", _get_variable(holder)),
        ("PATCH", f"{prefix}/variables/{{name}}", f"{variables}:write", _update_variable(holder)),
        ("DELETE", f"{prefix}/variables/{{name}}", f"{variables}:write", _delete_variable(holder)),
    ]
    for method, path, need, handler in listed:
        endpoints.add(method, path, need, role="write")(handler)


async def _public_key(call: Call) -> Answer:
    """What values are sealed with (libsodium's sealed boxes)."""
    public = bytes(call.instance.sealing_key.public_key)
    return ok({"key_id": "568250167242549743", "key": base64.b64encode(public).decode()})


def _list_secrets(holder: Holder) -> Handler:
    async def list_secrets(call: Call) -> Answer:
        page = call.page(list(holder(call).secrets.values()))
        return page.answer([render.secret(one) for one in page.items], "secrets")

    return list_secrets


def _get_secret(holder: Holder) -> Handler:
    async def get_secret(call: Call) -> Answer:
        found = holder(call).secrets.get(call.path("name").upper())
        if found is None:
            raise not_found()
        return ok(render.secret(found))

    return get_secret


def _put_secret(holder: Holder) -> Handler:
    async def put_secret(call: Call) -> Answer:
        sealed = call.fields.required_text("encrypted_value")
        try:
            value = SealedBox(call.instance.sealing_key).decrypt(base64.b64decode(sealed)).decode()
        except (CryptoError, ValueError, binascii.Error) as error:
            raise Problem(422, "Bad request: encrypted_value was not sealed with this repository's key") from error
        new = set_secret(call.instance, holder(call).secrets, call.path("name"), value)
        return Answer(status=201, body={}) if new else no_content()

    return put_secret


def _delete_secret(holder: Holder) -> Handler:
    async def delete_secret(call: Call) -> Answer:
        if holder(call).secrets.pop(call.path("name").upper(), None) is None:
            raise not_found()
        return no_content()

    return delete_secret


def _list_variables(holder: Holder) -> Handler:
    async def list_variables(call: Call) -> Answer:
        page = call.page(list(holder(call).variables.values()), per_page=10)
        return page.answer([render.variable(one) for one in page.items], "variables")

    return list_variables


def _get_variable(holder: Holder) -> Handler:
    async def get_variable(call: Call) -> Answer:
        found = holder(call).variables.get(call.path("name").upper())
        if found is None:
            raise not_found()
        return ok(render.variable(found))

    return get_variable


def _create_variable(holder: Holder) -> Handler:
    async def create_variable(call: Call) -> Answer:
        name = call.fields.required_text("name")
        if name.upper() in holder(call).variables:
            raise conflict("Variable already exists")
        set_variable(call.instance, holder(call).variables, name, call.fields.required_text("value"))
        return Answer(status=201, body={})

    return create_variable


def _update_variable(holder: Holder) -> Handler:
    async def update_variable(call: Call) -> Answer:
        known = holder(call).variables.get(call.path("name").upper())
        if known is None:
            raise not_found()
        set_variable(call.instance, holder(call).variables, known.name, call.fields.text("value", known.value))
        return no_content()

    return update_variable


def _delete_variable(holder: Holder) -> Handler:
    async def delete_variable(call: Call) -> Answer:
        if holder(call).variables.pop(call.path("name").upper(), None) is None:
            raise not_found()
        return no_content()

    return delete_variable


_register("actions", lambda call: call.repository, ("secrets", "variables"))
_register("environments/{environment}", environment_of, ("environments", "environments"))
