"""The few calls of GitHub that a report needs, over real HTTP, with every awkward answer at hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pipelines.faults import Policy
from pipelines.github import GitHub

BOT = "github-actions[bot]"


@dataclass
class Conversation:
    """The comments of pull request 7, and what is to go wrong."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, str]] = field(default_factory=list)
    read_only: bool = False
    lose: set[str] = field(default_factory=set)
    """Methods whose next answer is lost after its effect."""
    before: Callable[[str], None] | None = None
    """Called with the method before a write takes effect."""
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, body: str, login: str = BOT) -> dict[str, Any]:
        number = max((c["id"] for c in self.comments), default=0) + 1
        made = {"id": number, "body": body, "user": {"login": login}, "html_url": f"{self.url}/c/{number}"}
        self.comments.append(made)
        return made

    def client(self) -> GitHub:
        return GitHub("shop/shop", "token", api_url=self.url, policy=Policy(scale=0.0))

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if path.endswith("/jobs"):
            return 200, {"jobs": self.jobs}
        if self.read_only and method != "GET":
            return 403, {"message": "Resource not accessible by integration"}
        if path.endswith("/issues/7/comments"):
            if method == "POST":
                return 201, self.add(body["body"])
            first = (int(query["page"][0]) - 1) * int(query["per_page"][0])
            return 200, self.comments[first : first + int(query["per_page"][0])]
        found = next((c for c in self.comments if path.endswith(f"/issues/comments/{c['id']}")), None)
        if found is None:
            return 404, {"message": "Not Found"}
        if method == "PATCH":
            found["body"] = body["body"]
        if method == "DELETE":
            self.comments.remove(found)
            return 204, None
        return 200, found


@pytest.fixture
def conversation() -> Iterator[Conversation]:
    talk = Conversation()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            talk.requests.append(f"{self.command} {parts.path}")
            if talk.before and self.command != "GET":
                talk.before(self.command)
            status, answer = talk.answer(self.command, parts.path, parse_qs(parts.query), body)
            if self.command in talk.lose:
                talk.lose.discard(self.command)
                self.close_connection = True
                return
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    talk.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield talk
    server.shutdown()
    thread.join()
    server.server_close()
