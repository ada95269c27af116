"""HTTP of Secret Manager (discovery document secretmanager.v1), global secrets only: regional ones are not emulated."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.google.access import Authorise
from rehearsal.emulators.google.errors import exception_handlers, invalid
from rehearsal.emulators.google.wire import json_body, page
from rehearsal.emulators.refusal import bearer
from rehearsal.emulators.secret_manager.checksum import crc32c
from rehearsal.emulators.secret_manager.state import (
    DESTROYED,
    DISABLED,
    ENABLED,
    Secrets,
    Version,
    secret_json,
    version_json,
)

IamPolicy = Callable[[str], dict[str, Any]]
"""Name of a secret -> the API's Policy of it."""
Endpoint = Callable[[Request], Awaitable[Response]]

_SECRET = "/v1/projects/{project}/secrets/{secret}"
_VERSION = _SECRET + "/versions/{version}"


class SecretRoutes:
    """The endpoints, over one `Secrets`."""

    def __init__(self, secrets: Secrets, authorise: Authorise, iam_policy: IamPolicy) -> None:
        self._secrets = secrets
        self._authorise = authorise
        self._iam_policy = iam_policy

    def app(self) -> Starlette:
        """The whole API. Custom verbs (`:access`) come first: a path parameter would swallow them."""
        routes = [
            Route(_VERSION + ":access", self._access, methods=["GET"]),
            *(
                Route(f"{_VERSION}:{verb}", self._changing(verb, state), methods=["POST"])
                for verb, state in (("enable", ENABLED), ("disable", DISABLED), ("destroy", DESTROYED))
            ),
            Route(_VERSION, self._get_version, methods=["GET"]),
            Route(_SECRET + ":getIamPolicy", self._policy, methods=["GET"]),
            Route(_SECRET + "/versions", self._list_versions, methods=["GET"]),
            Route(_SECRET + ":addVersion", self._add_version, methods=["POST"]),
            Route(_SECRET, self._get, methods=["GET"]),
            Route(_SECRET, self._patch, methods=["PATCH"]),
            Route(_SECRET, self._delete, methods=["DELETE"]),
            Route("/v1/projects/{project}/secrets", self._list, methods=["GET"]),
            Route("/v1/projects/{project}/secrets", self._create, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers=exception_handlers())

    async def _create(self, request: Request) -> Response:
        self._check(request, "secrets.create")
        body = await json_body(request)
        secret_id = request.query_params.get("secretId", "")
        return JSONResponse(secret_json(self._secrets.create(request.path_params["project"], secret_id, body)))

    async def _list(self, request: Request) -> Response:
        self._check(request, "secrets.list")
        secrets = self._secrets.all(request.path_params["project"])
        return self._page(request, "secrets", [secret_json(secret) for secret in secrets])

    async def _get(self, request: Request) -> Response:
        name = self._check(request, "secrets.get")
        return JSONResponse(secret_json(self._secrets.get(name)))

    async def _policy(self, request: Request) -> Response:
        name = self._check(request, "secrets.getIamPolicy")
        self._secrets.get(name)
        return JSONResponse(self._iam_policy(name))

    async def _patch(self, request: Request) -> Response:
        name = self._check(request, "secrets.update")
        fields = [path for path in request.query_params.get("updateMask", "").split(",") if path]
        if not fields:
            raise invalid("updateMask", "required.")
        return JSONResponse(secret_json(self._secrets.patch(name, await json_body(request), fields)))

    async def _delete(self, request: Request) -> Response:
        name = self._check(request, "secrets.delete")
        self._secrets.delete(name, request.query_params.get("etag"))
        return JSONResponse({})

    async def _add_version(self, request: Request) -> Response:
        name = self._check(request, "versions.add")
        payload = (await json_body(request)).get("payload", {})
        checksum = payload.get("dataCrc32c")
        version = self._secrets.add_version(
            name, _decoded(payload.get("data", "")), None if checksum is None else _number(checksum)
        )
        return JSONResponse(version_json(name, version))

    async def _list_versions(self, request: Request) -> Response:
        name = self._check(request, "versions.list")
        wanted = _state_filter(request.query_params.get("filter", ""))
        versions = [v for v in reversed(self._secrets.get(name).versions) if wanted in ("", v.state)]
        return self._page(request, "versions", [version_json(name, version) for version in versions])

    async def _get_version(self, request: Request) -> Response:
        name = self._check(request, "versions.get")
        return self._version(name, self._secrets.get(name).version(request.path_params["version"]))

    async def _access(self, request: Request) -> Response:
        name = self._check(request, "versions.access")
        version, data = self._secrets.access(name, request.path_params["version"])
        payload = {"data": base64.b64encode(data).decode(), "dataCrc32c": str(crc32c(data))}
        return JSONResponse({"name": f"{name}/versions/{version.number}", "payload": payload})

    def _changing(self, verb: str, state: str) -> Endpoint:
        async def change(request: Request) -> Response:
            name = self._check(request, f"versions.{verb}")
            etag = (await json_body(request)).get("etag")
            return self._version(name, self._secrets.set_state(name, request.path_params["version"], state, etag))

        return change

    def _check(self, request: Request, permission: str) -> str:
        """Authorise the caller; the name of the secret the path is about, if it is about one."""
        project, secret = request.path_params["project"], request.path_params.get("secret", "")
        name = f"projects/{project}/secrets/{secret}".rstrip("/")
        self._authorise(bearer(request), f"secretmanager.{permission}", name)
        return name

    @staticmethod
    def _version(secret: str, version: Version) -> Response:
        return JSONResponse(version_json(secret, version))

    @staticmethod
    def _page(request: Request, key: str, items: Sequence[dict[str, Any]]) -> Response:
        shown, following = page(request, items)
        body: dict[str, Any] = {key: list(shown), "totalSize": len(items)}
        return JSONResponse({**body, "nextPageToken": following} if following else body)


def _decoded(text: str) -> bytes:
    try:
        # The JSON mapping takes both base64 alphabets.
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, AttributeError) as error:
        raise invalid("payload.data", "is not base64.") from error


def _number(text: object) -> int:
    try:
        return int(str(text))
    except ValueError as error:
        raise invalid("payload.dataCrc32c", f"'{text}' is not a number.") from error


def _state_filter(text: str) -> str:
    if not text:
        return ""
    key, _, value = text.replace("=", ":").partition(":")
    if key.strip() != "state":
        raise invalid("filter", "this world filters versions by state only, as in 'state:ENABLED'.")
    return value.strip()
