"""Traffic as a value, and what a revision is made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import InputError, RefusedError
from pipelines.manifest.targets import CloudRun
from pipelines.providers import cloud_run_template as templates
from pipelines.providers.cloud_run_service import problem, ready
from pipelines.providers.cloud_run_traffic import CANDIDATE, Traffic
from pipelines.roles import Identity

REVISIONS = st.sampled_from([f"api-{n}" for n in range(6)])


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    names = draw(st.lists(REVISIONS, min_size=1, max_size=6, unique=True))
    cuts = sorted(draw(st.sets(st.integers(1, 99), min_size=len(names) - 1, max_size=len(names) - 1)))
    shares = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    return Traffic(percents=dict(zip(names, shares, strict=True)), tags={})


@given(traffics(), REVISIONS, st.integers(1, 100))
def test_shares_always_add_up_to_100(traffic: Traffic, revision: str, percent: int) -> None:
    if percent < 100 and set(traffic.percents) == {revision}:
        with pytest.raises(RefusedError, match="cannot have"):
            traffic.shifted(revision, percent)
        return
    after = traffic.shifted(revision, percent)
    assert sum(after.percents.values()) == 100
    assert after.percents[revision] == percent
    assert all(share > 0 for share in after.percents.values())
    assert set(after.percents) <= {*traffic.percents, revision}
    assert sum(target.get("percent", 0) for target in after.body()) == 100
    assert all(target["revision"] for target in after.body())


@given(traffics(), REVISIONS, REVISIONS)
def test_going_there_and_back_is_where_it_began(traffic: Traffic, one: str, two: str) -> None:
    assert traffic.shifted(one, 100).shifted(two, 100).percents == {two: 100}


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_a_share_outside_1_to_100_is_refused(percent: int) -> None:
    with pytest.raises(InputError, match="no share of traffic"):
        Traffic(percents={"api-1": 100}, tags={}).shifted("api-2", percent)


def test_latest_is_read_as_the_revision_it_means() -> None:
    service = {
        "latestReadyRevision": "projects/p/locations/l/services/api/revisions/api-7",
        "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
    }
    assert Traffic.asked(service).percents == {"api-7": 100}


def test_foreign_tags_are_left_alone() -> None:
    traffic = Traffic(percents={"api-1": 100}, tags={"c-old": "api-0", "blue": "api-1", "l-1": "api-1"})
    tagged = traffic.tagged("api-2", "c-new", drop=CANDIDATE)
    assert tagged.tags == {"c-new": "api-2", "blue": "api-1", "l-1": "api-1"}
    assert tagged.untagged().tags == {"blue": "api-1"}
    assert (tagged.tag_of("api-2"), tagged.tag_of("api-9")) == ("c-new", "")


TARGET = CloudRun(
    provider="cloud-run",
    project="p",
    region="europe-west1",
    service="api",
    url="https://api.techmate.ai",
    service_account="api@p.iam.gserviceaccount.com",
    env={"LOG_LEVEL": "info"},
    secrets={"DATABASE_URL": "database-url@3"},
)
IDENTITY = Identity(
    release="v1.2.0-rc.1", commit="c" * 40, digest="sha256:" + "a" * 64, schema="0003", run="https://x/1"
)


def test_a_candidate_runs_no_workers_and_its_secrets_are_pinned() -> None:
    made = templates.template(TARGET, "host/r@sha256:1", IDENTITY)
    env = {variable["name"]: variable for variable in made["containers"][0]["env"]}
    assert env["WORKERS"]["value"] == "off"
    assert env["DATABASE_URL"]["valueSource"]["secretKeyRef"] == {"secret": "database-url", "version": "3"}
    assert templates.identity(made) == IDENTITY
    assert templates.role(made) == "candidate"


def test_the_live_twin_differs_in_its_workers_only() -> None:
    made = {**templates.template(TARGET, "host/r@sha256:1", IDENTITY), "uid": "output only", "conditions": []}
    twin = templates.live_template(made)
    assert "uid" not in twin
    env = {variable["name"]: variable.get("value") for variable in twin["containers"][0]["env"]}
    assert env["WORKERS"] == "on"
    assert len(twin["containers"][0]["env"]) == len(made["containers"][0]["env"])
    assert twin["containers"][0]["resources"] == {"cpuIdle": False}
    assert (templates.identity(twin), templates.role(twin)) == (IDENTITY, "live")
    assert made["containers"][0]["env"][-2]["value"] == "off"


@given(st.text(max_size=80), st.text(alphabet="abc-", min_size=1, max_size=40))
def test_names_are_dns_labels_with_room_for_more(release: str, service: str) -> None:
    service = f"s{service.strip('-')}"
    name = templates.name(service, release, {"containers": []})
    longest = templates.attempt(f"{templates.attempt(name, 99)}-live", 99)
    assert name.startswith(f"{service}-")
    assert not name.endswith("-")
    assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in name)
    assert len(longest) <= 63 + 3


def test_a_name_stays_with_release_and_settings() -> None:
    made = templates.template(TARGET, "host/r@sha256:1", IDENTITY)
    again = templates.template(
        TARGET, "host/r@sha256:1", Identity(**{**vars(IDENTITY), "run": "another", "attempt": "2"})
    )
    other = templates.template(TARGET, "host/r@sha256:2", IDENTITY)
    names = [templates.name("api", "v1.2.0-rc.1", t) for t in (made, again, other)]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("api-v1-2-0-rc-1-")


@pytest.mark.parametrize(
    ("condition", "is_ready", "failure"),
    [
        ({"type": "Ready", "state": "CONDITION_SUCCEEDED"}, True, ""),
        ({"type": "Ready", "state": "CONDITION_FAILED", "revisionReason": "RETIRED"}, True, ""),
        ({"type": "Ready", "state": "CONDITION_RECONCILING"}, False, ""),
        (
            {"type": "Ready", "state": "CONDITION_FAILED", "reason": "CONTAINER_MISSING", "message": "no image"},
            False,
            "CONTAINER_MISSING: no image",
        ),
        ({"type": "Active", "state": "CONDITION_FAILED"}, False, ""),
    ],
)
def test_ready_is_read_from_its_own_condition(condition: dict[str, Any], is_ready: bool, failure: str) -> None:
    revision = {"conditions": [condition]}
    assert (ready(revision), problem(revision)) == (is_ready, failure)
