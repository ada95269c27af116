from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx

WEB = "https://techmate.ai"


def eventually(look: Callable[[], Any], *, seconds: float = 5.0) -> Any:
    """What `look` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return seen


def test_a_note_is_added_read_listed_found_and_deleted(api: httpx.Client) -> None:
    text = "The deployment crashed on Friday"
    added = api.post("/notes", json={"text": f"  {text} "})
    assert added.status_code == 201
    note = added.json()
    assert (note["text"], note["summary"]) == (text, None)
    assert added.headers["location"] == f"/notes/{note['id']}"

    assert api.get(added.headers["location"]).json()["text"] == text
    assert note["id"] in [each["id"] for each in api.get("/notes").json()["notes"]]
    found = api.get("/notes/search", params={"q": "release failure"}).json()["results"]
    assert note["id"] in [each["id"] for each in found]

    assert api.delete(added.headers["location"]).status_code == 204
    assert api.get(added.headers["location"]).status_code == 404
    assert api.delete(added.headers["location"]).status_code == 404
    assert note["id"] not in [
        each["id"] for each in api.get("/notes/search", params={"q": "release failure"}).json()["results"]
    ]


def test_the_best_match_comes_first(api: httpx.Client) -> None:
    texts = [
        "Bread, milk and apples from the shop",
        "The API was unreachable at noon",
        "Holiday plan for the mountains",
    ]
    ids = [api.post("/notes", json={"text": text}).json()["id"] for text in texts]
    results = api.get("/notes/search", params={"q": "server outage"}).json()["results"]
    assert results[0]["id"] == ids[1]
    assert ids[0] not in [result["id"] for result in results]
    assert [result["score"] for result in results] == sorted((result["score"] for result in results), reverse=True)


def test_searches_are_kept_until_a_note_changes(api: httpx.Client) -> None:
    def search() -> httpx.Response:
        return api.get("/notes/search", params={"q": "cached words", "limit": "3"})

    def healthy() -> bool:
        # A worker may still be summarising notes of other tests, and each summary clears the cache.
        return (search().headers["x-cache"], search().headers["x-cache"]) == ("hit", "hit")

    eventually(healthy)
    note = api.post("/notes", json={"text": "cached words, newly written"}).json()
    after = search()
    assert after.headers["x-cache"] == "miss"
    assert note["id"] in [result["id"] for result in after.json()["results"]]


def test_a_worker_writes_the_summary(api: httpx.Client) -> None:
    text = "Hello all. " + "The migration of the notes table locked the notes table. " * 5
    identifier = api.post("/notes", json={"text": text}).json()["id"]
    summary = eventually(lambda: api.get(f"/notes/{identifier}").json()["summary"])
    assert summary == "The migration of the notes table locked the notes table."


def test_pages_lead_through_all_notes(api: httpx.Client) -> None:
    added = [api.post("/notes", json={"text": f"page {number}"}).json()["id"] for number in range(5)]
    seen: list[str] = []
    before = None
    for _ in range(40):
        page = api.get("/notes", params={"limit": 2, **({"before": before} if before else {})}).json()
        seen += [note["id"] for note in page["notes"]]
        before = page["next"]
        if before is None or set(added) <= set(seen):
            break
    assert [identifier for identifier in seen if identifier in added] == added[::-1]
    assert len(seen) == len(set(seen))


def test_health_ready_and_version(api: httpx.Client) -> None:
    health = eventually(lambda: (page := api.get("/health")).status_code == 200 and page).json()
    assert health["status"] == "ok"
    assert set(health["checks"]) == {"database", "redis", "memory", "disk"}
    assert all(check["status"] == "up" for check in health["checks"].values())
    assert health["checks"]["database"]["latency_ms"] > 0
    assert api.get("/health/ready").json()["status"] == "ok"
    version = {"release": "v1.0.0", "commit": "abc123", "revision": "local", "environment": "staging", "schema": 2}
    assert api.get("/version").json() == version


def test_the_101st_request_of_a_minute_waits(api: httpx.Client) -> None:
    answers = [api.get("/version") for _ in range(101)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert api.get("/version", headers={"X-User": uuid4().hex}).status_code == 200, "another user of the load test"
    assert api.get("/health/live").status_code == 200


def test_requests_are_logged_with_their_id(api: httpx.Client, backend: Any) -> None:
    given = str(uuid4())
    assert api.get("/nothing", headers={"X-Request-ID": given}).headers["x-request-id"] == given

    def logged() -> list[dict[str, Any]]:
        return [line for line in list(backend.lines) if line["context"].get("request_id") == given]

    eventually(lambda: len(logged()) == 2)
    received, completed = logged()
    assert (received["level"], received["message"]) == ("debug", "request received")
    assert (completed["level"], completed["message"]) == ("info", "request completed")
    assert completed["context"]["status"] == 404
    assert completed["context"]["duration_ms"] > 0
    assert all(set(line) == {"timestamp", "level", "message", "context"} for line in backend.lines)


def test_the_web_page_may_call_and_read(api: httpx.Client) -> None:
    answer = api.post("/notes", json={"text": "from the page"}, headers={"Origin": WEB})
    assert answer.headers["access-control-allow-origin"] == WEB
    assert UUID(answer.headers["x-request-id"])
