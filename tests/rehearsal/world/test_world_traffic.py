"""When users were sent elsewhere, read from the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal import definition
from rehearsal.definition import Definition
from rehearsal.journal import Entry
from rehearsal.world import traffic
from tests.rehearsal.example_manifest import written

SERVICES = "/v2/projects/acme-production/locations/europe-west1/services"
NAMES = traffic.Names(
    release=lambda emulator, key: {"api-1": "v1", "api-2": "v2", "dpl_2": "v2"}.get(key, key),
    project=lambda key: "web-production" if key == "prj_9" else key,
)


@pytest.fixture
def wanted(tmp_path: Path) -> Definition:
    return definition.read(written(tmp_path))


def entry(method: str, path: str, request: Any = None, **more: Any) -> Entry:
    given: dict[str, Any] = {
        "number": 1,
        "time": 100.0,
        "emulator": "cloud-run" if path.startswith("/v2/") else "vercel",
        "method": method,
        "host": "",
        "path": path,
        "query": "",
        "status": 200,
        "seconds": 0.1,
        "request_bytes": 1,
        "request_sha256": None,
        "request": request,
        "answer_bytes": 1,
    }
    return Entry(**(given | more))


def routed(*targets: tuple[str, int], path: str = f"{SERVICES}/api", **more: Any) -> Entry:
    parts = [{"revision": revision, "percent": percent} for revision, percent in targets]
    return entry("PATCH", path, {"traffic": [*parts, {"revision": "api-9", "tag": "c-1"}]}, **more)


def texts(entries: list[Entry], wanted: Definition) -> list[str]:
    return [shift["text"] for shift in traffic.shifts(entries, wanted, NAMES)]


def test_each_new_share_is_a_shift_and_a_new_tag_is_none(wanted: Definition) -> None:
    created = entry("POST", SERVICES, {"traffic": [{"revision": "api-1", "percent": 100}]}, query="serviceId=api")
    entries = [
        created,
        routed(("api-1", 100)),
        routed(("api-1", 90), ("api-2", 10), time=101.5),
        routed(("api-1", 90), ("api-2", 10)),
        routed(("api-2", 100)),
    ]
    assert texts(entries, wanted) == ["v1 100 %", "v1 90 %, v2 10 %", "v2 100 %"]
    second = traffic.shifts(entries, wanted, NAMES)[1]
    assert second == {"at": 101.5, "environment": "production", "component": "backend", "text": "v1 90 %, v2 10 %"}


def test_promotions_and_rollbacks_move_a_site(wanted: Definition) -> None:
    entries = [
        entry("POST", "/v10/projects/prj_9/promote/dpl_2", status=202),
        entry("POST", "/v1/projects/web-staging/rollback/dpl_1", status=201),
        entry("GET", "/v1/projects/prj_9/promote/aliases"),
        entry("POST", "/v10/projects/another/promote/dpl_2"),
    ]
    assert [(s["environment"], s["component"], s["text"]) for s in traffic.shifts(entries, wanted, NAMES)] == [
        ("production", "web", "v2 100 %"),
        ("staging", "web", "dpl_1 100 %"),
    ]


def test_what_was_refused_moved_nobody_and_a_lost_answer_did(wanted: Definition) -> None:
    assert texts([routed(("api-2", 100), status=409)], wanted) == []
    assert texts([routed(("api-2", 100), status=None)], wanted) == ["v2 100 %"]


def test_other_requests_say_nothing(wanted: Definition) -> None:
    others = [
        entry("GET", f"{SERVICES}/api"),
        entry("PATCH", f"{SERVICES}/api", {"template": {}}),
        entry("PATCH", f"{SERVICES}/api", None),
        routed(("api-2", 100), path="/v2/projects/other/locations/europe-west1/services/api"),
        routed(("api-2", 100), emulator="github"),
    ]
    assert texts(others, wanted) == []
