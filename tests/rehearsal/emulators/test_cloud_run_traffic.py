"""When users were sent to other revisions, read from the journal."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal import definition
from rehearsal.emulator import TrafficChange
from rehearsal.emulators.cloud_run.app import CloudRun
from rehearsal.emulators.cloud_run.images import WorldRegistry
from rehearsal.emulators.cloud_run.traffic import changes
from rehearsal.emulators.registry.state import Repositories
from rehearsal.journal import Entry
from tests.rehearsal.emulators.journaled import entry
from tests.rehearsal.example_manifest import MANIFEST

SERVICES = "/v2/projects/acme-production/locations/europe-west1/services"
RELEASES = {"api-1": "v1", "api-2": "v2"}


def routed(*targets: tuple[str, int], path: str = f"{SERVICES}/api", **more: Any) -> Entry:
    parts = [{"revision": revision, "percent": percent} for revision, percent in targets]
    return entry("PATCH", path, {"traffic": [*parts, {"revision": "api-9", "tag": "c-1"}]}, **more)


def found(*entries: Entry) -> list[TrafficChange]:
    services = definition.of(MANIFEST).services
    return list(changes(entries, services, lambda revision: RELEASES.get(revision, revision)))


def texts(*entries: Entry) -> list[str]:
    return [change.text for change in found(*entries)]


def test_each_new_share_is_a_change_and_a_new_tag_is_none() -> None:
    entries = [
        entry("POST", SERVICES, {"traffic": [{"revision": "api-1", "percent": 100}]}, query="serviceId=api"),
        routed(("api-1", 100)),
        routed(("api-1", 90), ("api-2", 10), time=101.5),
        routed(("api-1", 90), ("api-2", 10)),
        routed(("api-2", 100)),
    ]
    assert texts(*entries) == ["v1 100 %", "v1 90 %, v2 10 %", "v2 100 %"]
    assert found(*entries)[1] == TrafficChange(
        at=101.5, environment="production", component="backend", text="v1 90 %, v2 10 %"
    )


def test_what_was_refused_moved_nobody_and_a_lost_answer_did() -> None:
    assert texts(routed(("api-2", 100), status=409)) == []
    assert texts(routed(("api-2", 100), status=None)) == ["v2 100 %"]


def test_other_requests_say_nothing() -> None:
    others = [
        entry("GET", f"{SERVICES}/api"),
        entry("PATCH", f"{SERVICES}/api", {"template": {}}),
        entry("PATCH", f"{SERVICES}/api", None),
        routed(("api-2", 100), path="/v2/projects/other/locations/europe-west1/services/api"),
    ]
    assert texts(*others) == []


def test_a_revision_is_named_by_the_release_in_its_annotations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = CloudRun(tmp_path, WorldRegistry(Repositories(tmp_path / "registry"), ()))
    revision = SimpleNamespace(template={"annotations": {"shipmate.release": "v2"}})
    monkeypatch.setattr(run.services, "all", lambda: [SimpleNamespace(revisions={"api-2": revision})])
    platform = definition.of(MANIFEST)
    asked = [routed(("api-2", 100)), routed(("api-gone", 100))]
    assert [one.text for one in run.traffic_changes(asked, platform)] == ["v2 100 %", "api-gone 100 %"]
    assert [run.deployments_of(release) for release in ("v2", "v3")] == [1, 0]
