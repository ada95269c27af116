from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from rehearsal.journal import REDACTED, Journal, Journaled, redact
from rehearsal.serving import cut, running


async def created(request: Request) -> Response:
    await request.body()
    return JSONResponse({"ok": True}, 201)


APP = Starlette(routes=[Route("/{rest:path}", created, methods=["GET", "POST"])])


def journal_of(*calls: tuple[str, str, dict[str, Any]], limit: int = 100) -> Journal:
    journal = Journal(limit=limit)
    with running(Journaled(APP, "vercel", journal)) as server:
        for method, path, options in calls:
            requests.request(method, server.url + path, timeout=5, **options)
    return journal


def test_an_entry_tells_what_was_asked_and_answered() -> None:
    body = {"name": "web", "target": "production"}
    [entry] = journal_of(
        ("POST", "/v13/deployments?slug=techmate", {"json": body, "headers": {"Host": "api.x"}})
    ).entries()
    assert (entry.emulator, entry.method, entry.host, entry.path) == ("vercel", "POST", "api.x", "/v13/deployments")
    assert (entry.query, entry.status, entry.request) == ("slug=techmate", 201, body)
    assert entry.request_sha256 == hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert entry.answer_bytes == len(b'{"ok":true}')
    assert 0 < entry.seconds < 5


def test_a_body_that_is_not_json_is_only_hashed() -> None:
    [entry] = journal_of(("POST", "/v2/files", {"data": b"\x00\x01"})).entries()
    assert entry.request is None
    assert (entry.request_bytes, entry.request_sha256) == (2, hashlib.sha256(b"\x00\x01").hexdigest())


def test_secrets_are_not_kept_wherever_they_stand() -> None:
    secret = "s3cr3t-of-the-test"
    journal = journal_of(
        ("POST", f"/services/T1/B1/{secret}", {"json": {"text": "hello"}, "headers": {"Authorization": secret}}),
        ("POST", f"/token?access_token={secret}&slug=techmate", {"json": {"subject_token": secret, "n": 1}}),
        ("POST", "/v10/projects/web/env", {"json": {"key": "API", "value": secret, "type": "encrypted"}}),
        ("POST", "/v1/s:addVersion", {"json": {"payload": {"data": secret}}}),
        ("POST", "/hooks", {"json": {"config": {"url": f"https://user:{secret}@host/x"}, "tokens": [secret]}}),
    )
    assert secret not in repr(journal.as_json())
    second = journal.entries()[1]
    assert "slug=techmate" in second.query
    assert second.request == {"subject_token": REDACTED, "n": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"value": "PLANTED", "target": ["production"]},
        {"env": [{"name": "DB_PASSWORD", "value": "PLANTED"}]},
        {"env": [{"name": "REDIS_URL", "value": "redis://:PLANTED@host:6379/0"}]},
        {"variables": [{"name": "X", "value": "PLANTED", "visibility": "SECRET"}]},
        {"cookie": "PLANTED", "cookies": ["PLANTED"]},
        {"config": {"url": "https://hooks.slack.com/services/T/B/PLANTED"}},
        {"pem": "-----BEGIN PRIVATE KEY-----\nPLANTED\n-----END PRIVATE KEY-----\n"},
    ],
)
def test_bodies_of_providers_that_hold_a_secret(body: Any) -> None:
    journal = journal_of(("POST", "/x", {"json": body, "headers": {"Cookie": "session=PLANTED"}}))
    assert "PLANTED" not in repr(journal.as_json())
    assert journal.entries()[0].request is not None


def test_a_variable_that_is_public_is_kept() -> None:
    body = {"env": [{"name": "LOG_LEVEL", "value": "info"}], "visibility": "PUBLIC"}
    assert redact(body) == body


def test_the_ring_keeps_the_newest_and_numbers_go_on() -> None:
    journal = journal_of(*[("GET", f"/{n}", {}) for n in range(5)], limit=3)
    assert [(e.number, e.path) for e in journal.entries()] == [(3, "/2"), (4, "/3"), (5, "/4")]
    assert [e.number for e in journal.entries(after=4)] == [5]
    assert journal.entries(emulator="github") == []


def test_a_cut_connection_has_no_status() -> None:
    async def cutting(scope: Scope, receive: Receive, send: Send) -> None:
        await cut(scope, receive)

    journal = Journal()
    with running(Journaled(cutting, "github", journal)) as server, pytest.raises(requests.exceptions.ConnectionError):
        requests.get(server.url, timeout=5)
    assert [e.status for e in journal.entries()] == [None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_redacting_twice_changes_nothing_more(value: Any) -> None:
    assert redact(redact(value)) == redact(value)
