from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import pytest
import requests
import sentry_sdk
from sentry_sdk.utils import event_from_exception

from rehearsal.emulators.sentry.app import Sentry
from rehearsal.emulators.sentry.envelope import Unreadable, decompress, parse
from rehearsal.serving import running


class Client:
    def __init__(self) -> None:
        self.sentry = Sentry(clock=lambda: 1_700_000_000.0)
        self.url = ""

    def send(self, *items: tuple[dict[str, Any], Any], project: str = "backend", **options: Any) -> requests.Response:
        held = self.sentry.organization.projects[project]
        lines = [json.dumps({"sent_at": "2026-01-01T00:00:00Z"})]
        for header, payload in items:
            lines += [json.dumps(header), json.dumps(payload)]
        headers = {"X-Sentry-Auth": f"Sentry sentry_key={held.public_key}, sentry_version=7"}
        headers.update(options.pop("headers", {}))
        body = options.pop("data", "\n".join(lines).encode())
        return requests.post(f"{self.url}/api/{held.id}/envelope/", data=body, headers=headers, timeout=5, **options)

    def error(self, message: str = "boom", release: str = "v1.2.0", environment: str = "production") -> None:
        payload = {"message": message, "release": release, "environment": environment}
        assert self.send(({"type": "event"}, payload)).status_code == 200


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    with running(made.sentry.app) as server:
        made.url = server.url
        yield made


def test_the_python_sdk_reports_an_exception(client: Client) -> None:
    dsn = client.sentry.dsn("backend", client.url)
    own = sentry_sdk.Client(dsn=dsn, release="v1.2.0", environment="production", default_integrations=False)
    try:
        raise LookupError("no such note")
    except LookupError as error:
        event, hint = event_from_exception(error, client_options=own.options)
        event_id = own.capture_event(event, hint)
    own.close(timeout=5)
    [kept] = client.sentry.events
    assert (kept.id, kept.project, kept.type) == (event_id, "backend", "error")
    assert (kept.title, kept.release, kept.environment) == ("LookupError: no such note", "v1.2.0", "production")
    assert kept.payload["exception"]["values"][0]["type"] == "LookupError"


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_envelopes_arrive_compressed(client: Client, encoding: str, pack: Any) -> None:
    body = b'{"event_id":"a1"}\n{"type":"event"}\n{"event_id":"a1","message":"boom"}\n'
    answer = client.send(data=pack(body), headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()) == (200, {"id": "a1"})
    assert client.sentry.events[0].title == "boom"


def test_a_browser_may_send_from_any_page_with_the_key_in_the_query(client: Client) -> None:
    project = client.sentry.organization.projects["web"]
    url = f"{client.url}/api/{project.id}/envelope/?sentry_key={project.public_key}&sentry_version=7"
    origin = {"Origin": "https://techmate.ai", "Access-Control-Request-Method": "POST"}
    allowed = requests.options(url, headers=origin, timeout=5)
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, "*")
    body = b'{}\n{"type":"event"}\n{"message":"a component broke"}'
    sent = requests.post(url, data=body, headers={"Content-Type": "text/plain;charset=UTF-8", **origin}, timeout=5)
    assert (sent.status_code, sent.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert [(event.project, event.title) for event in client.sentry.events] == [("web", "a component broke")]


def test_the_older_store_endpoint(client: Client) -> None:
    project = client.sentry.organization.projects["backend"]
    url = f"{client.url}/api/{project.id}/store/?sentry_key={project.public_key}"
    assert requests.post(url, json={"event_id": "b2", "message": "old"}, timeout=5).json() == {"id": "b2"}
    assert requests.post(url, data=b"{", timeout=5).status_code == 400


@pytest.mark.parametrize(
    ("path", "headers", "data", "status"),
    [
        ("/api/99/envelope/", {}, b"{}", 404),
        ("/api/1/envelope/", {"X-Sentry-Auth": "Sentry sentry_key=00"}, b"{}", 403),
        ("/api/1/envelope/", {}, b"{}", 403),
        ("/api/1/envelope/", {}, b"no json", 400),
        ("/api/1/envelope/", {"Content-Encoding": "gzip"}, b"not gzip", 400),
        ("/api/1/envelope/", {"Content-Encoding": "lzma"}, b"{}", 400),
    ],
)
def test_what_cannot_be_taken_is_refused(
    client: Client, path: str, headers: dict[str, str], data: bytes, status: int
) -> None:
    answer = requests.post(client.url + path, data=data, headers=headers, timeout=5)
    assert answer.status_code == status
    assert answer.headers["X-Sentry-Error"] == answer.json()["detail"]
    assert client.sentry.events == []


@pytest.mark.parametrize("body", [b"[]", b'{}\n{"length":3}\nabc', b'{}\n{"type":"event","length":9}\n{}'])
def test_broken_envelopes(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(body)


def test_items_by_length_may_hold_newlines_and_bytes() -> None:
    body = b'{}\n{"type":"attachment","length":5}\na\nb\xff\n\n{"type":"event"}\n{"message":"x"}\n'
    _, items = parse(body)
    assert [(item.type, item.payload) for item in items] == [("attachment", b"a\nb\xff\n"), ("event", {"message": "x"})]


def test_brotli_is_read() -> None:
    assert decompress(brotli.compress(b"{}"), "br") == b"{}"
    with pytest.raises(Unreadable, match="not br"):
        decompress(b"\xff\xff", "br")


def test_sessions_of_a_release(client: Client) -> None:
    attributes = {"release": "v1.2.0", "environment": "production"}
    aggregates = [{"started": "x", "exited": 17, "errored": 1, "crashed": 1}]
    client.send(({"type": "sessions"}, {"aggregates": aggregates, "attrs": attributes}))
    client.send(({"type": "session"}, {"sid": "1", "init": True, "status": "ok", "attrs": attributes}))
    client.send(({"type": "session"}, {"sid": "1", "status": "crashed", "attrs": attributes}))
    client.send(({"type": "session"}, {"sid": "2", "init": True, "status": "ok", "attrs": {"release": "v1.1.0"}}))
    kept = [(s.release, s.total, s.crashed) for s in client.sentry.organization.sessions]
    assert kept == [("v1.2.0", 19, 1), ("v1.2.0", 1, 0), ("v1.2.0", 0, 1), ("v1.1.0", 1, 0)]


def test_saved_events_come_back(client: Client) -> None:
    client.error()
    saved = json.loads(json.dumps(client.sentry.save()))
    client.sentry.reset()
    assert client.sentry.events == []
    client.sentry.load(saved)
    assert [event.title for event in client.sentry.events] == ["boom"]
