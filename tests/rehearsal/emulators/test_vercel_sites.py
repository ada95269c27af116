from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from rehearsal.emulators.vercel.app import Vercel
from rehearsal.emulators.vercel.model import Deployment, File
from rehearsal.emulators.vercel.routing import from_vercel_json
from rehearsal.emulators.vercel.site import content_type
from rehearsal.emulators.vercel.state import Pace
from rehearsal.serving import running

BYPASS = "bypass-of-the-test"
SITE = {"index.html": "home", "assets/app-1a2b.js": "js", "config.json": "{}", "logo.svg": "<svg/>"}
SPA = {
    "headers": [
        {
            "source": "/assets/(.*)",
            "headers": [{"key": "Cache-Control", "value": "public, max-age=31536000, immutable"}],
        },
        {"source": "/config.json", "headers": [{"key": "Cache-Control", "value": "no-store"}]},
    ],
    "rewrites": [{"source": "/((?!assets/).*)", "destination": "/index.html"}],
}


class World:
    """The emulator behind a front that asks it for every request, as the edge does."""

    def __init__(self) -> None:
        self.vercel = Vercel(tokens={}, bypass=[BYPASS], pace=Pace(queue=0, build=0, promote=20))
        self.url = ""

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        app = self.vercel.serve(host) or PlainTextResponse("nothing", 404)
        await app(scope, receive, send)

    def deploy(self, files: dict[str, str], *, target: str | None = "production", live: bool = True) -> Deployment:
        account = self.vercel.account
        held = []
        for path, text in files.items():
            digest = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324
            account.upload(text.encode(), digest)
            held.append(File(path=path, sha=digest, size=len(text)))
        project = account.project("techmate-web")
        made = account.create(project, files=held, target=target, creator="dev-1", meta={})
        project.auto_assign = live
        account.advance()
        return made

    def get(self, path: str, host: str = "techmate.ai", **options: Any) -> requests.Response:
        headers = {"Host": host, **options.pop("headers", {})}
        method = options.pop("method", "GET")
        return requests.request(method, self.url + path, headers=headers, timeout=5, allow_redirects=False, **options)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with running(made.app) as server:
        made.url = server.url
        yield made


def test_files_have_their_types_and_the_headers_of_the_platform(world: World) -> None:
    world.deploy(SITE)
    page = world.get("/")
    assert (page.status_code, page.text, page.headers["Content-Type"]) == (200, "home", "text/html; charset=utf-8")
    assert page.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert page.headers["Strict-Transport-Security"] == "max-age=63072000"
    script = world.get("/assets/app-1a2b.js")
    assert (script.text, script.headers["Content-Type"]) == ("js", "text/javascript; charset=utf-8")
    assert world.get("/logo.svg").headers["Content-Type"].startswith("image/svg+xml")


def test_a_known_version_is_not_sent_again(world: World) -> None:
    world.deploy(SITE)
    etag = world.get("/").headers["ETag"]
    again = world.get("/", headers={"If-None-Match": f'"other", W/{etag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    world.deploy({**SITE, "index.html": "new home"})
    assert world.get("/", headers={"If-None-Match": etag}).text == "new home"


def test_without_rules_an_unknown_path_is_a_404_also_for_an_application(world: World) -> None:
    world.deploy(SITE)
    missing = world.get("/notes/7")
    assert (missing.status_code, missing.headers["x-vercel-error"]) == (404, "NOT_FOUND")
    world.deploy({**SITE, "404.html": "lost"})
    missing = world.get("/notes/7")
    assert (missing.status_code, missing.text) == (404, "lost")


def test_the_deployments_own_rules_are_followed(world: World) -> None:
    world.deploy({**SITE, "vercel.json": json.dumps(SPA)})
    assert [world.get(path).text for path in ("/", "/notes/7", "/logo.svg")] == ["home", "home", "<svg/>"]
    assert world.get("/assets/app-1a2b.js").headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert world.get("/config.json").headers["Cache-Control"] == "no-store"
    assert world.get("/assets/gone.js").status_code == 404
    assert "server" not in world.get("/vercel.json").text


@pytest.mark.parametrize(
    ("rules", "path", "file", "location"),
    [
        (
            {"rewrites": [{"source": "/blog/:slug", "destination": "/posts/:slug.html"}]},
            "/blog/a",
            "posts/a.html",
            None,
        ),
        ({"rewrites": [{"source": "/:path*", "destination": "/index.html"}]}, "/any/where", "index.html", None),
        ({"rewrites": [{"source": "/(.*)", "destination": "/index.html"}]}, "/posts/a.html", "posts/a.html", None),
        ({"cleanUrls": True}, "/posts/a", "posts/a.html", None),
        ({}, "/posts/a", None, None),
        ({"redirects": [{"source": "/old/:rest*", "destination": "/new/:rest*"}]}, "/old/x/y", None, "/new/x/y"),
        ({"rewrites": [{"source": "/a.b", "destination": "/index.html"}]}, "/axb", None, None),
    ],
)
def test_rules_of_vercel_json(rules: dict[str, Any], path: str, file: str | None, location: str | None) -> None:
    files = {"index.html": "1", "posts/a.html": "2"}
    answer = from_vercel_json(json.dumps(rules).encode()).answer(path, files)
    assert (answer.path, answer.location) == (file, location)


def test_rules_that_are_no_json_are_refused() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        from_vercel_json(b"{")


def test_an_open_parenthesis_in_a_source_is_named() -> None:
    with pytest.raises(ValueError, match=r"open parenthesis: /\(a"):
        from_vercel_json(b'{"rewrites": [{"source": "/(a", "destination": "/"}]}')


def test_only_reading_is_allowed(world: World) -> None:
    world.deploy(SITE)
    head = world.get("/", method="HEAD")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "4")
    assert world.get("/", method="POST").status_code == 405


def test_previews_and_staged_deployments_ask_for_the_bypass(world: World) -> None:
    live, staged, preview = (
        world.deploy(SITE),
        world.deploy({"index.html": "next"}, live=False),
        world.deploy({"index.html": "draft"}, target=None),
    )
    assert world.get("/").status_code == 200
    for deployment in (live, staged, preview):
        assert world.get("/", host=deployment.url).status_code == 401
        assert world.get("/", host=deployment.url, headers={"x-vercel-protection-bypass": "wrong"}).status_code == 401
    opened = world.get("/", host=staged.url, headers={"x-vercel-protection-bypass": BYPASS})
    assert (opened.status_code, opened.text) == (200, "next")


def test_some_are_sent_to_the_login_instead(world: World) -> None:
    world.vercel.account.project("techmate-web").to_login = True
    staged = world.deploy(SITE, live=False)
    sent = world.get("/a", host=staged.url)
    assert (sent.status_code, sent.headers["Location"].partition("?")[0]) == (302, "https://vercel.com/sso-api")
    assert world.get("/", host=staged.url, headers={"x-vercel-protection-bypass": BYPASS}).text == "home"


def test_a_browser_gets_in_with_a_cookie(world: World) -> None:
    preview = world.deploy(SITE, target=None)
    query = {"x-vercel-protection-bypass": BYPASS, "x-vercel-set-bypass-cookie": "true"}
    entered = world.get("/", host=preview.url, params=query)
    assert (entered.status_code, entered.headers["Location"]) == (307, "/")
    cookie = entered.headers["Set-Cookie"].partition(";")[0]
    assert world.get("/", host=preview.url, headers={"Cookie": cookie}).text == "home"


def test_an_unprotected_project_shows_everything(world: World) -> None:
    world.vercel.account.project("techmate-web").protection = None
    assert world.get("/", host=world.deploy(SITE, target=None).url).text == "home"


def test_the_protection_of_previews_leaves_production_builds_open(world: World) -> None:
    world.vercel.account.project("techmate-web").protection = "preview"
    assert world.get("/", host=world.deploy(SITE, live=False).url).status_code == 200
    assert world.get("/", host=world.deploy(SITE, target=None).url).status_code == 401


def test_a_host_without_a_deployment_and_one_that_failed(world: World) -> None:
    assert world.vercel.serve("nobody.vercel.app") is None
    assert world.vercel.serve("techmate.ai") is None
    failed = world.deploy({"package.json": "{}"})
    answer = world.get("/", host=failed.url)
    assert (answer.status_code, answer.headers["x-vercel-error"]) == (404, "DEPLOYMENT_BUILD_FAILED")


def test_a_client_that_never_stops_asking_always_gets_one_release_or_the_other(world: World) -> None:
    account = world.vercel.account
    first = world.deploy({"index.html": "one"})
    second = world.deploy({"index.html": "two"}, live=False)
    done = threading.Event()
    asked = threading.Condition()
    seen: list[tuple[int, str]] = []

    def ask() -> None:
        with requests.Session() as session:
            while not done.is_set():
                answer = session.get(world.url + "/", headers={"Host": "techmate.ai"}, timeout=5)
                with asked:
                    seen.append((answer.status_code, answer.text))
                    asked.notify_all()

    def wait_for(text: str) -> None:
        """Until the clients got `text` ten times in a row."""
        with asked:
            assert asked.wait_for(lambda: [body for _, body in seen[-10:]] == [text] * 10, timeout=10)

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for client in clients:
        client.start()
    project = account.project("techmate-web")
    wait_for("one")
    for _ in range(5):
        account.promote(project, second)
        wait_for("two")
        account.roll_back(project, first, None)
        wait_for("one")
    done.set()
    for client in clients:
        client.join(10)
    assert set(seen) == {(200, "one"), (200, "two")}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.webmanifest", "application/manifest+json; charset=utf-8"),
        ("a.woff2", "font/woff2"),
        ("a.png", "image/png"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_content_types(name: str, kind: str) -> None:
    assert content_type(name) == kind
