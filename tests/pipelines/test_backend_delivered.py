"""The platform's own backend, all the way: assembled, pushed, migrated, staged, checked, live, and rolled back."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.checks import journeys, smoke
from pipelines.delivery.migrations import runner as migrate
from pipelines.delivery.probes import HEADER
from pipelines.http import Http
from pipelines.images.assemble import assemble
from pipelines.images.registry import Registry
from pipelines.images.store import Store
from pipelines.manifest import load
from pipelines.manifest.targets import CloudRun
from pipelines.overlay import Overlay
from pipelines.providers.cloud_run import CloudRunHost
from pipelines.roles import Artifact, Identity
from rehearsal.emulators.registry.base import seed_base
from rehearsal.serving import running
from tests.pipelines.providers.clouds import Clouds, clouds

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-a-test"
HOST = "europe-west1-docker.pkg.dev"


@pytest.fixture(scope="module")
def services() -> Iterator[Any]:
    """A Postgres and a Redis."""
    spec = importlib.util.spec_from_file_location(
        "development_services_of_delivery", ROOT / "apps/backend/development/services.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    with module.running_services() as urls:
        yield urls


def built(world: Clouds, folder: Path) -> Artifact:
    """The image of HEAD, in the world's registry."""
    component = load(ROOT / "shipmate.yml").components["backend"]
    assert component.image is not None
    base = f"{HOST}/library/python@{seed_base(world.registry.repositories, 'library/python', 'slim')}"
    with running(world.registry.app) as server:
        registry = Registry(Http(overlay=Overlay(hosts={HOST: server.url})), store=Store(folder))
        image = assemble(
            component,
            ROOT,
            "HEAD",
            fetch=registry.fetch,
            store=registry.store,
            source="https://github.com/techmate/platform",
            bases={component.image.base: base},
        )
        reference = registry.push(image, component.image.repository, ["head"])
    return Artifact(component="backend", digest=image.digest, reference=reference)


@pytest.mark.long
def test_the_backend_goes_out_and_comes_back(services: Any, tmp_path: Path) -> None:
    manifest = load(ROOT / "shipmate.yml")
    staging = manifest.environments["staging"]
    target = staging.targets["backend"]
    assert isinstance(target, CloudRun)
    given = {"DATABASE_URL": services.database, "REDIS_URL": services.redis, "PROBE_TOKEN": TOKEN}
    target = replace(target, env={**target.env, **given}, secrets={})
    folder = ROOT / str(manifest.components["backend"].migrations)
    checks = [check for check in staging.smoke if check.component == "backend"]
    visits = {name: made for name, made in manifest.journeys.items() if made.component == "backend"}
    probes = {"backend": {HEADER: TOKEN}}
    with clouds(tmp_path / "world", probes=0.2) as world:
        artifact = built(world, tmp_path / "store")
        host = CloudRunHost(target, world.http, lambda: "token")
        for release in ("v1.0.0", "v1.1.0"):
            migrate.run(services.database, folder, phase="expand", release=release)
            identity = Identity(release=release, commit="c" * 40, digest=artifact.digest, schema="0002")
            staged = host.stage(artifact, identity)
            facts = {"release": release, "commit": identity.commit}
            assert smoke.run(checks, {"backend": staged.url}, facts, world.http).failures() == ""
            users = journeys.report(visits, {"backend": staged.url}, world.http, headers=probes)
            assert (users.passed, users.failures()) == (len(visits), "")
            assert world.answer(staged.url.removeprefix("https://"), "/notes").json()["notes"] == []
            host.shift(staged.key, 100)
            main = host.live().main()
            assert main is not None
            host.mark_stable(main.key)
            assert smoke.run(checks, {"backend": target.url}, facts, world.http).failures() == ""
        # The limit of users is used up: a probe is not held to it.
        while world.answer("api-staging.techmate.ai", "/version").status_code != 429:
            pass
        read = visits["read the notes"]
        assert journeys.visit(read, target.url, world.http).limited
        known = journeys.visit(read, target.url, world.http, headers=probes["backend"])
        assert (known.reason, known.limited) == ("", False)
        earlier = host.live().marks.stable[1]
        host.shift(earlier, 100)
        assert world.answer("api-staging.techmate.ai", "/version", **probes["backend"]).json()["release"] == "v1.0.0"
