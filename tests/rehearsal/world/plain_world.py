"""A site, its API, a GitHub and the world's own pages at one port, as a world has them, without a world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from rehearsal import definition
from rehearsal.callers import KnownCallers
from rehearsal.emulator import Notification
from rehearsal.emulators.slack.rendering import rendered
from rehearsal.serving import Server, running
from rehearsal.world.pages import WorldPages
from rehearsal.world.plain_sites import PlainSites
from tests.rehearsal.example_manifest import written

SITE, API = "shop.example", "api.shop.example"
HOSTILE = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
POLICY = f"connect-src 'self' https://{API}; upgrade-insecure-requests"
PAGE = """<!doctype html><title>Shop</title><a href="https://api.shop.example/notes">API</a><p id="said">nothing</p>
<script>
(async () => {
  const config = await (await fetch("/config.json")).json();
  const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
  const answer = await fetch(config.apiUrl + "/notes", sent);
  document.getElementById("said").textContent = JSON.stringify(await answer.json());
})();
</script>"""


async def page(_request: Request) -> Response:
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": f"script-src 'unsafe-inline'; {POLICY}"})


async def config(_request: Request) -> Response:
    return JSONResponse(
        {"apiUrl": f"https://{API}", "dsn": f"https://key@{API}/1", "other": f"https://{API}.evil.example"}
    )


async def notes(request: Request) -> Response:
    """What the API was asked, as it sees it."""
    answer = JSONResponse({"url": str(request.url), "origin": request.headers.get("origin")})
    answer.set_cookie("session", "1", domain=SITE, secure=True, samesite="none", httponly=True)
    return answer


async def away(_request: Request) -> Response:
    return Response(
        status_code=302, headers={"Location": f"https://{SITE}/welcome", "Strict-Transport-Security": "max-age=1"}
    )


async def code(request: Request) -> Response:
    """GitHub: a link to a site, a line of source code that names it, and the name by which it was asked."""
    text = f'<a href="https://{SITE}/">View</a> <a href="{request.app.state.address}/shop">Run</a><pre>url: https://{SITE}</pre>'
    return HTMLResponse(f"{text}<i>{request.headers['host']}</i>")


def api() -> Starlette:
    allowed = Middleware(CORSMiddleware, allow_origins=[f"https://{SITE}"], allow_methods=["*"], allow_headers=["*"])
    routes = [Route("/notes", notes, methods=["GET", "POST"]), Route("/away", away)]
    return Starlette(routes=routes, middleware=[allowed])


@dataclass
class PlainWorld:
    """`messages`: what people were sent, oldest first."""

    server: Server
    messages: list[tuple[str, Notification]] = field(default_factory=list)

    def at(self, name: str) -> str:
        return f"http://{name}.localhost:{self.server.port}"

    def ask(self, method: str, name: str, path: str, **headers: str) -> httpx.Response:
        """A request as a browser sends it that found the name on this machine."""
        sent = {
            "Host": f"{name}.localhost:{self.server.port}",
            **{key.replace("_", "-"): value for key, value in headers.items()},
        }
        return httpx.request(method, f"{self.server.url}{path}", headers=sent, trust_env=False)


def alert() -> tuple[str, Notification]:
    """A message of Slack with a title that is markup."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": f"🚀 Released {HOSTILE}"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*Next:* <https://{SITE}/|Open it>"}},
    ]
    return "slack", Notification(2.0, "", to="#deployments", body=rendered("", blocks))


def mail() -> tuple[str, Notification]:
    body = f"It failed: {HOSTILE}\nRun: https://{SITE}/runs/1."
    return "smtp", Notification(1.0, "", title=f"Failed {HOSTILE}", sender="from@x", to="to@x", body=body)


@contextmanager
def plain_world(folder: Path) -> Iterator[PlainWorld]:
    messages: list[tuple[str, Notification]] = []
    github = Starlette(routes=[Route("/{path:path}", code, methods=["GET", "POST"])])
    site = Starlette(routes=[Route("/", page), Route("/config.json", config)])
    sites = PlainSites(
        sites={SITE: site, API: api(), "*.run.app": api()},
        github=github,
        pages=WorldPages(definition.read(written(folder)), lambda: messages).app,
        server=lambda: str(github.state.address),
    )
    github.state.address = ""
    with running(KnownCallers(sites, lambda: (SITE, API, "*.run.app"), sites.related)) as server:
        github.state.address = server.url
        yield PlainWorld(server, messages)
