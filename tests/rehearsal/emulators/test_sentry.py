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

RELEASES = "/api/0/organizations/techmate/releases/"


class Client:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.sentry = Sentry(tokens=["token-of-the-test"], clock=lambda: self.now)
        self.url = ""

    def ask(self, method: str, path: str, token: str | None = "token-of-the-test", **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, self.url + path, headers=headers, timeout=5, **options)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def release(self, version: str = "v1.2.0", **more: Any) -> requests.Response:
        return self.ask("POST", RELEASES, json={"version": version, "projects": ["backend"], **more})

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
    shown = client.get(f"/api/0/projects/techmate/backend/events/{event_id}/")
    assert shown["title"] == "LookupError: no such note"
    assert shown["context"]["exception"]["values"][0]["type"] == "LookupError"


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


def test_a_release_is_created_once(client: Client) -> None:
    first, again = client.release(), client.release(url="https://run")
    assert (first.status_code, again.status_code) == (201, 208)
    assert [release["version"] for release in client.get(RELEASES)] == ["v1.2.0"]
    assert again.json()["url"] == "https://run"
    assert [project["slug"] for project in again.json()["projects"]] == ["backend"]


@pytest.mark.parametrize(
    "body",
    [{"projects": ["backend"]}, {"version": "v1"}, {"version": "v1", "projects": ["nope"]}, {"version": " ", "projects": ["web"]}],
)  # fmt: skip
def test_a_release_that_cannot_be(client: Client, body: dict[str, Any]) -> None:
    assert client.ask("POST", RELEASES, json=body).status_code == 400
    assert client.sentry.releases == {}


def test_commits_deploy_and_end_of_a_release(client: Client) -> None:
    version = "backend@1.2.0+a/b"
    client.release(version)
    path = f"{RELEASES}{requests.utils.quote(version, safe='')}/"
    refs = [{"repository": "techmate/platform", "commit": "b" * 40, "previousCommit": "a" * 40}]
    assert client.ask("PUT", path, json={"refs": refs}).json()["refs"] == refs
    unknown = client.ask("PUT", path, json={"refs": [{"repository": "other/repo", "commit": "b" * 40}]})
    assert (unknown.status_code, unknown.json()) == (400, {"refs": ["Invalid repository names: other/repo"]})
    client.ask("PUT", path, json={"commits": [{"id": "b" * 40, "message": "fix"}]})
    assert client.get(f"{path}commits/")[0]["id"] == "b" * 40
    assert client.ask("POST", f"{path}deploys/", json={}).status_code == 400
    deploy = client.ask("POST", f"{path}deploys/", json={"environment": "production"})
    assert (deploy.status_code, deploy.json()["environment"]) == (201, "production")
    assert client.ask("PUT", path, json={"dateReleased": "2026-01-01T00:00:00Z"}).status_code == 200
    shown = client.get(path)
    assert (shown["dateReleased"], shown["deployCount"], shown["commitCount"]) == ("2026-01-01T00:00:00Z", 1, 1)
    assert shown["lastDeploy"]["environment"] == "production"
    assert client.ask("DELETE", path).status_code == 204
    assert client.ask("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        (None, RELEASES, 401),
        ("wrong", RELEASES, 401),
        ("token-of-the-test", "/api/0/organizations/other/releases/", 404),
    ],
)
def test_token_and_organization(client: Client, token: str | None, path: str, status: int) -> None:
    assert client.ask("GET", path, token=token).status_code == status


def test_sessions_of_a_release(client: Client) -> None:
    attributes = {"release": "v1.2.0", "environment": "production"}
    aggregates = [{"started": "x", "exited": 17, "errored": 1, "crashed": 1}]
    client.send(({"type": "sessions"}, {"aggregates": aggregates, "attrs": attributes}))
    client.send(({"type": "session"}, {"sid": "1", "init": True, "status": "ok", "attrs": attributes}))
    client.send(({"type": "session"}, {"sid": "1", "status": "crashed", "attrs": attributes}))
    client.send(({"type": "session"}, {"sid": "2", "init": True, "status": "ok", "attrs": {"release": "v1.1.0"}}))
    query = {"field": ["sum(session)", "crash_free_rate(session)"], "groupBy": "release", "statsPeriod": "1h"}
    path = "/api/0/organizations/techmate/sessions/"
    groups = client.get(path, **query, query="release:v1.2.0")["groups"]
    assert [group["by"] for group in groups] == [{"release": "v1.2.0"}]
    assert groups[0]["totals"] == {"sum(session)": 20, "crash_free_rate(session)": pytest.approx(0.9)}
    assert len(client.get(path, **query)["groups"]) == 2
    assert client.get(path, **query, query="release:v9")["groups"] == []
    client.now += 7200
    assert client.get(path, **query)["groups"] == []
    assert client.ask("GET", path, params={"field": "p95(x)"}).status_code == 400


def test_errors_are_counted_by_release_environment_and_time(client: Client) -> None:
    client.error()
    client.error()
    client.error(release="v1.1.0")
    client.error(environment="staging")
    path = "/api/0/organizations/techmate/events/"
    query = {"dataset": "errors", "field": ["count()"], "query": "release:v1.2.0 environment:production"}
    assert client.get(path, **query)["data"] == [{"count()": 2}]
    assert client.get(path, **{**query, "query": "release:v9"})["data"] == [{"count()": 0}]
    by_release = client.get(path, dataset="errors", field=["release", "count()"])["data"]
    assert by_release == [{"release": "v1.2.0", "count()": 3}, {"release": "v1.1.0", "count()": 1}]
    assert client.get(path, **query, project="2")["data"] == [{"count()": 0}]
    assert client.ask("GET", path, params={"field": "count()"}).status_code == 400
    series = client.get(
        "/api/0/organizations/techmate/events-timeseries/",
        dataset="errors", yAxis="count()", interval="5m", statsPeriod="1h", query="release:v1.2.0",
    )["timeSeries"][0]["values"]  # fmt: skip
    assert sum(point["value"] for point in series) == 3
    assert len(series) == 12


def test_the_release_before_is_the_last_that_names_commits(client: Client) -> None:
    refs = [{"repository": "techmate/platform", "commit": "a" * 40}]
    for version, more in (("v1.0.0", {"refs": refs}), ("v1.1.0", {}), ("v1.2.0", {})):
        client.release(version, **more)
    assert client.get(f"{RELEASES}v1.2.0/previous-with-commits/")["version"] == "v1.0.0"
    assert client.get(f"{RELEASES}v1.0.0/previous-with-commits/") == {}
    assert [repository["name"] for repository in client.get("/api/0/organizations/techmate/repos/")] == [
        "techmate/platform"
    ]
    assert client.get("/api/0/projects/techmate/web/releases/") == []
    assert len(client.get("/api/0/projects/techmate/backend/releases/")) == 3


def test_saved_events_and_releases_come_back(client: Client) -> None:
    client.error()
    client.release()
    saved = json.loads(json.dumps(client.sentry.save()))
    client.sentry.reset()
    assert (client.sentry.events, client.sentry.releases) == ([], {})
    client.sentry.load(saved)
    assert [event.title for event in client.sentry.events] == ["boom"]
    assert client.release().status_code == 208
