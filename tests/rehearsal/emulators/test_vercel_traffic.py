"""When users were sent to other deployments, read from the journal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from rehearsal import definition
from rehearsal.emulators.vercel.app import Vercel
from rehearsal.emulators.vercel.model import Deployment
from rehearsal.emulators.vercel.traffic import changes
from tests.rehearsal.emulators.journaled import entry
from tests.rehearsal.example_manifest import MANIFEST


def test_promotions_and_rollbacks_move_a_site() -> None:
    entries = [
        entry("POST", "/v10/projects/prj_9/promote/dpl_2", status=202),
        entry("POST", "/v1/projects/web-staging/rollback/dpl_1", status=201),
        entry("GET", "/v1/projects/prj_9/promote/aliases"),
        entry("POST", "/v10/projects/another/promote/dpl_2"),
        entry("POST", "/v10/projects/prj_9/promote/dpl_2", status=409),
    ]
    found = changes(
        entries,
        definition.of(MANIFEST).sites,
        project_of=lambda key: {"prj_9": "web-production"}.get(key, key),
        release_of=lambda key: {"dpl_2": "v2"}.get(key, key),
    )
    assert [(one.environment, one.component, one.text) for one in found] == [
        ("production", "web", "v2 100 %"),
        ("staging", "web", "dpl_1 100 %"),
    ]


def test_a_deployment_is_named_by_the_release_in_its_meta_data() -> None:
    vercel = Vercel(tokens={}, team="acme", projects={"web-production": ["www.acme.test"]})
    [project] = vercel.account.projects
    vercel.account.deployments["dpl_1"] = cast(Deployment, SimpleNamespace(meta={"shipmate-release": "v3"}))
    asked = [entry("POST", f"/v10/projects/{project}/promote/{key}") for key in ("dpl_1", "dpl_gone")]
    found = vercel.traffic_changes(asked, definition.of(MANIFEST))
    assert [one.text for one in found] == ["v3 100 %", "dpl_gone 100 %"]
    assert [vercel.deployments_of(release) for release in ("v3", "v4")] == [1, 0]
