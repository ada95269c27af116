"""A region's quota of CPU: refused by Cloud Run, and heard of before."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import RefusedError
from pipelines.http import Http
from pipelines.manifest.targets import Scaling
from rehearsal.emulators.google.access import Authorise, anyone
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.service_usage.app import ServiceUsage
from rehearsal.serving import running
from tests.pipelines.providers.clouds import (
    API,
    Clouds,
    clouds,
    host,
    stage,
)

pytestmark = pytest.mark.world


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Clouds]:
    with clouds(tmp_path) as world:
        yield world


@pytest.mark.parametrize("numbers", [True, False], ids=["as it is put now", "as it was put before"])
def test_more_instances_than_the_quota_has_room_for_name_the_key_to_change(cloud: Clouds, numbers: bool) -> None:
    quota = cloud.run.services.quota
    quota.limit, quota.numbers = lambda project, region: 20_000, numbers
    with pytest.raises(RefusedError, match="more instances than the region's quota of CPU") as caught:
        stage(cloud, host(cloud, cpu="2"), "v1.0.0")
    assert ("100 vCPU asked for, 20 allowed" in caught.value.what) is numbers
    assert caught.value.next_step.startswith("set `scaling: {max: 10}` of the component in shipmate.yml, or ask Google")
    assert host(cloud).live().deployments == ()
    assert stage(cloud, host(cloud, cpu="2", scaling=Scaling(min=0, max=10)), "v1.0.0").ready
    with pytest.raises(RefusedError, match="quota"):
        stage(cloud, host(cloud, cpu="2"), "v1.1.0")
    with pytest.raises(RefusedError) as caught:
        stage(cloud, host(cloud, cpu="32"), "v1.1.0")
    assert caught.value.next_step.startswith("lower `cpu` or `scaling/max`")
    assert [d.key for d in host(cloud).live().deployments] == [d.key for d in host(cloud).live().serving()]


@contextlib.contextmanager
def quotas(cloud: Clouds, authorise: Authorise = anyone) -> Iterator[ServiceUsage]:
    """As a new project has them."""
    made = ServiceUsage(authorise=authorise)
    made.usage.enable(API.project, "run.googleapis.com")
    with running(made.app) as server:
        hosts = {**cloud.http.overlay.hosts, **dict.fromkeys(made.hosts, server.url)}
        cloud.http = Http(overlay=replace(cloud.http.overlay, hosts=hosts), policy=cloud.http.policy)
        yield made


def test_a_plan_hears_of_a_quota_before_cloud_run_refuses(cloud: Clouds) -> None:
    small, double = Scaling(min=0, max=20), {"cpu": "2", "scaling": Scaling(min=0, max=20)}
    with quotas(cloud) as usage:
        (concern,) = host(cloud).concerns()
        assert "Cloud Run will refuse 50 instances of 1 vCPU" in concern
        assert "techmate-staging may have 20 vCPU in europe-west1, so 20 fit" in concern
        assert host(cloud, scaling=small).concerns() == ()
        assert len(host(cloud, **double).concerns()) == 1
        stage(cloud, host(cloud, **double), "v1.0.0")
        assert len(host(cloud, scaling=small).concerns()) == 1, "a CPU that is left out is the serving revision's"
        for milli in (200_000, -1):
            usage.control.grant_cpu(API.project, API.location, milli)
            assert host(cloud).concerns() == ()


def test_a_quota_that_may_not_be_read_is_left_out(cloud: Clouds) -> None:
    def refuse(_token: str | None, permission: str, _resource: str, /) -> str:
        raise GoogleError("PERMISSION_DENIED", permission)

    with quotas(cloud, refuse):
        assert host(cloud).concerns() == ()
