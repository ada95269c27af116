"""A deployment as a site: its files over HTTP, behind its protection."""

from __future__ import annotations

import hmac
import mimetypes
from collections.abc import Mapping
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rehearsal.emulators.vercel.model import Deployment
from rehearsal.emulators.vercel.routing import Routing, from_vercel_json

BYPASS = "x-vercel-protection-bypass"
_SET_COOKIE = "x-vercel-set-bypass-cookie"
_COOKIE = "_vercel_jwt"
_HSTS = "max-age=63072000"
# What the platform sends where the deployment's own rules say nothing.
_CACHE = "public, max-age=0, must-revalidate"
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".ico": "image/vnd.microsoft.icon",
    ".txt": "text/plain",
}
_WITH_CHARSET = ("text/", "application/json", "application/manifest+json", "image/svg+xml")


class Site:
    """The files of one deployment."""

    def __init__(self, deployment: Deployment, blobs: Mapping[str, bytes]) -> None:
        self._id = deployment.id
        self._blobs = blobs
        files = {file.path: file.sha for file in deployment.files}
        self._routing = _routing(files, blobs)
        self._files = {path: sha for path, sha in files.items() if path != "vercel.json"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("INVALID_REQUEST_METHOD\n", 405, {"x-vercel-error": "INVALID_REQUEST_METHOD"})
        answer = self._routing.answer(scope["path"], self._files)
        common = {"strict-transport-security": _HSTS, "x-vercel-id": f"fra1::{self._id}", "server": "Vercel"}
        if answer.location is not None:
            return Response(status_code=answer.status, headers={**common, "location": answer.location})
        if answer.path is None:
            text = "The page could not be found\n\nNOT_FOUND\n"
            return PlainTextResponse(text, 404, {**common, "x-vercel-error": "NOT_FOUND"})
        sha = self._files[answer.path]
        name = answer.path.rpartition("/")[2]
        headers = {
            "cache-control": _CACHE,
            "content-disposition": f'inline; filename="{name}"',
            "etag": f'"{sha}"',
            "x-vercel-cache": "HIT",
            **common,
            **answer.headers,
        }
        if answer.status == 200 and _knows(Headers(scope=scope).get("if-none-match"), headers["etag"]):
            return Response(status_code=304, headers=headers)
        return Response(self._blobs[sha], answer.status, headers, media_type=content_type(name))


class Protected:
    """Lets only those through who know the bypass secret (or carry the cookie got with it)."""

    def __init__(self, app: ASGIApp, secrets: list[str], *, to_login: bool = False) -> None:
        self._app = app
        self._secrets = secrets
        self._to_login = to_login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        offered = headers.get(BYPASS) or query.get(BYPASS)
        cookie = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
        if not self._opens(offered) and not self._opens(cookie.value if cookie else None):
            if self._to_login:
                asked = quote(f"https://{headers.get('host', '')}{scope['path']}", safe="")
                location = f"https://vercel.com/sso-api?url={asked}"
                await Response(status_code=302, headers={"location": location, "server": "Vercel"})(
                    scope, receive, send
                )
                return
            page = "<!doctype html><title>Authentication Required</title><h1>Authentication Required</h1>"
            await HTMLResponse(page, 401, {"x-robots-tag": "noindex", "server": "Vercel"})(scope, receive, send)
            return
        wants_cookie = headers.get(_SET_COOKIE) or query.get(_SET_COOKIE)
        if offered and wants_cookie:
            redirect = Response(status_code=307, headers={"location": scope["path"]})
            redirect.set_cookie(
                _COOKIE,
                offered,
                httponly=True,
                secure=True,
                samesite="none" if wants_cookie == "samesitenone" else "lax",
            )
            await redirect(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _opens(self, secret: str | None) -> bool:
        return secret is not None and any(hmac.compare_digest(secret.encode(), s.encode()) for s in self._secrets)


def content_type(name: str) -> str:
    """The media type of a file by its name, with a character set where it is text."""
    suffix = "." + name.rpartition(".")[2].lower()
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith(_WITH_CHARSET) else kind


def is_protected(deployment: Deployment, host: str, production_names: list[str], protection: str | None) -> bool:
    """Whether a host that shows a deployment asks for authentication (`ssoProtection.deploymentType`)."""
    if protection is None:
        return False
    if protection == "all":
        return True
    if protection == "preview":
        return deployment.target != "production"
    # The two standard forms leave the production domains open, and protect every deployment's own address.
    return host not in production_names


def not_ready(deployment: Deployment) -> ASGIApp:
    """What the address of a deployment shows while it is built, or when that failed."""
    code = {"ERROR": "DEPLOYMENT_BUILD_FAILED", "CANCELED": "DEPLOYMENT_CANCELED"}.get(
        deployment.state, "DEPLOYMENT_NOT_READY"
    )
    return PlainTextResponse(f"{code}\n", 404, {"x-vercel-error": code, "server": "Vercel"})


def _routing(files: Mapping[str, str], blobs: Mapping[str, bytes]) -> Routing:
    config = files.get("vercel.json")
    return Routing() if config is None else from_vercel_json(blobs[config])


def _knows(if_none_match: str | None, etag: str) -> bool:
    held = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return etag in held or "*" in held
