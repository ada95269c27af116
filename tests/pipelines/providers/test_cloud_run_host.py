"""CloudRunHost against the emulator: real processes behind tags, traffic by revision, faults between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import CheckFailed, ConflictError, InputError
from pipelines.providers.cloud_run import CloudRunHost
from pipelines.roles import Artifact, Lock
from rehearsal.emulators.google.access import everything_allowed, run_service_agent
from tests.pipelines.providers.clouds import (
    API,
    PUBLIC,
    Clouds,
    Died,
    Dying,
    clouds,
    host,
    parts,
    released,
    stage,
    target,
)

pytestmark = pytest.mark.world


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Clouds]:
    with clouds(tmp_path) as world:
        yield world


def test_nothing_is_live_before_the_first_release(cloud: Clouds) -> None:
    live = host(cloud).live()
    assert (live.url, live.deployments, live.main()) == (f"https://{PUBLIC}", (), None)


def test_the_first_release_makes_the_service(cloud: Clouds) -> None:
    at = host(cloud)
    staged = stage(cloud, at, "v1.0.0")
    assert staged.ready
    assert staged.traffic == 100
    answer = cloud.answer(staged.url.removeprefix("https://"), "/version").json()
    assert (answer["release"], answer["workers"], answer["greeting"]) == ("v1.0.0", "off", "hello")
    at.shift(staged.key, 100)
    assert cloud.answer(PUBLIC).json()["workers"] == "on"


def test_a_candidate_has_an_address_and_no_traffic(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    staged = stage(cloud, at, "v1.1.0")
    assert (staged.ready, staged.traffic, staged.key.startswith("api-v1-1-0-")) == (True, 0, True)
    assert cloud.answer(staged.url.removeprefix("https://")).json()["release"] == "v1.1.0"
    live = at.live()
    assert [(d.key, d.traffic) for d in live.serving()] == [(first, 100)]
    found = live.find(staged.key)
    assert found is not None
    assert found.identity == parts(cloud, "v1.1.0")[1]
    service = cloud.run.services.get(API)
    assert service.spec["scaling"]["minInstanceCount"] == 2
    assert "minInstanceCount" not in service.spec["template"]["scaling"]


def test_traffic_goes_to_the_twin_with_workers_step_by_step(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    staged = stage(cloud, at, "v1.1.0")
    at.live()
    shares = []
    for percent in (10, 50, 100):
        live = at.shift(staged.key, percent)
        shares.append({d.key: d.traffic for d in live.serving()})
    twin = f"{staged.key}-live"
    assert shares == [{twin: 10, first: 90}, {twin: 50, first: 50}, {twin: 100}]
    answer = cloud.answer(PUBLIC).json()
    assert (answer["release"], answer["workers"], answer["k_revision"]) == ("v1.1.0", "on", twin)
    main = live.main()
    assert main is not None
    assert main.identity == staged.identity
    assert [line for line in cloud.asked if "PATCH" in line and "traffic" not in line] == []


def test_without_workers_the_candidate_itself_goes_live(cloud: Clouds) -> None:
    at = host(cloud, workers=False)
    released(cloud, at, "v1.0.0")
    staged = stage(cloud, at, "v1.1.0")
    live = at.shift(staged.key, 100)
    assert [d.key for d in live.serving()] == [staged.key]
    assert len(live.deployments) == 2


def test_marking_as_stable_drops_our_tags_and_is_remembered_there(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    second = released(cloud, at, "v1.1.0")
    live = host(cloud).live()
    assert live.marks.stable == (second, first)
    assert all(not d.url for d in live.deployments)
    before = len(cloud.writes("cloud-run"))
    at.mark_stable(second)
    assert len(cloud.writes("cloud-run")) == before


def test_asked_again_nothing_is_made_twice(cloud: Clouds) -> None:
    at = host(cloud)
    released(cloud, at, "v1.0.0")
    staged = stage(cloud, at, "v1.1.0")
    before = len(cloud.writes("cloud-run"))
    again = stage(cloud, host(cloud), "v1.1.0")
    assert (again.key, again.url) == (staged.key, staged.url)
    assert len(cloud.writes("cloud-run")) == before
    at.shift(staged.key, 100)
    live_one = stage(cloud, host(cloud), "v1.1.0")
    assert (live_one.key, live_one.traffic) == (f"{staged.key}-live", 100)
    before = len(cloud.writes("cloud-run"))
    host(cloud).shift(live_one.key, 100)
    host(cloud).shift(staged.key, 100)
    assert len(cloud.writes("cloud-run")) == before


def test_old_revisions_go_and_none_that_is_stable_serves_or_is_someone_elses(
    cloud: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.providers.cloud_run_pruning.KEPT_REVISIONS", 2)
    at = host(cloud, workers=False)
    keys = [released(cloud, at, f"v1.{minor}.0") for minor in range(3)]
    with pytest.raises(CheckFailed):
        stage(cloud, at, "v1.3.0", "ends")
    revisions = cloud.run.services.get(API).revisions
    failed = next(name for name in revisions if name not in keys)
    newest = released(cloud, at, "v1.4.0")
    left = set(cloud.run.services.get(API).revisions)
    assert set(at.live().marks.stable) <= left
    assert newest in left
    assert failed in left  # the second newest
    later = [released(cloud, at, f"v1.{minor}.0") for minor in (5, 6)]
    left = set(cloud.run.services.get(API).revisions)
    assert failed not in left
    assert {*at.live().marks.stable, *later} <= left


def test_more_revisions_than_cloud_run_keeps_cost_nothing_that_is_stable(
    cloud: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.providers.cloud_run_pruning.KEPT_REVISIONS", 1)
    cloud.run.services.most_revisions = 4
    at = host(cloud, workers=False)
    first = released(cloud, at, "v1.0.0")
    for minor in range(1, 5):
        staged = stage(cloud, at, f"v1.{minor}.0")
        at.mark_stable(first)  # what is live proves good again, and what was a candidate is not needed any more
    kept = set(cloud.run.services.get(API).revisions)
    assert {first, staged.key} <= kept
    assert len(kept) <= 3
    assert [d.key for d in at.live().serving()] == [first]


def test_going_back_needs_no_new_revision(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    released(cloud, at, "v1.1.0")
    count = len(at.live().deployments)
    live = host(cloud).shift(first, 100)
    host(cloud).mark_stable(first)
    assert [d.key for d in live.serving()] == [first]
    assert cloud.answer(PUBLIC).json()["release"] == "v1.0.0"
    assert len(host(cloud).live().deployments) == count
    assert host(cloud).live().marks.stable[0] == first


def test_an_image_is_pulled_by_the_service_agent_and_what_lets_it_in_is_named(cloud: Clouds) -> None:
    asked: list[tuple[str, str, str]] = []

    def refuses(account: str, permission: str, resource: str) -> bool:
        asked.append((account, permission, resource))
        return False

    cloud.run.launcher.allows = refuses
    with pytest.raises(CheckFailed, match="CONTAINER_IMAGE_UNAUTHORIZED") as caught:
        stage(cloud, host(cloud), "v1.0.0")
    agent = run_service_agent(API.project)
    assert {account for account, _, _ in asked} == {agent}
    assert agent in caught.value.what
    assert "not by the account that the service runs as" in caught.value.why
    command = caught.value.next_step
    assert command.startswith("gcloud artifacts repositories add-iam-policy-binding")
    assert command.endswith(f"--member=serviceAccount:{agent} --role=roles/artifactregistry.reader")
    cloud.run.launcher.allows = everything_allowed
    assert stage(cloud, host(cloud), "v1.0.0").ready


OBSERVES = pytest.mark.parametrize("observes", [True, False], ids=["observed moves on", "observed stays"])


@OBSERVES
@pytest.mark.parametrize("app", ["ends", "unready"])
def test_a_candidate_that_does_not_become_ready_changes_nothing(cloud: Clouds, app: str, observes: bool) -> None:
    cloud.run.services.after_failure.observes = observes
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    with pytest.raises(CheckFailed, match="did not become ready: HEALTH_CHECK_CONTAINER_ERROR") as caught:
        stage(cloud, at, "v1.1.0", app)
    assert "console.cloud.google.com/logs" in caught.value.next_step
    live = at.live()
    assert [(d.key, d.traffic) for d in live.serving()] == [(first, 100)]
    assert all(not d.url for d in live.deployments)
    assert cloud.answer(PUBLIC).json()["release"] == "v1.0.0"
    failed = next(d for d in live.deployments if not d.ready)
    assert (failed.state, failed.identity and failed.identity.release) == ("FAILED", "v1.1.0")
    # The next try gets a name of its own.
    with pytest.raises(CheckFailed, match=f"{failed.key}-2 did not"):
        stage(cloud, at, "v1.1.0", app)


@OBSERVES
def test_after_a_failed_candidate_status_rollback_and_the_next_release_go_on(cloud: Clouds, observes: bool) -> None:
    cloud.run.services.after_failure.observes = observes
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    second = released(cloud, at, "v1.1.0")
    with pytest.raises(CheckFailed):
        stage(cloud, at, "v1.2.0", "ends")
    assert [d.key for d in at.live().serving()] == [second]
    host(cloud).shift(first, 100)
    assert [d.key for d in at.live().serving()] == [first]
    third = released(cloud, at, "v1.3.0")
    assert [d.key for d in at.live().serving()] == [third]
    assert cloud.answer(PUBLIC).json()["release"] == "v1.3.0"


def test_a_change_of_traffic_that_ends_in_an_error_and_moved_it_is_done(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    released(cloud, at, "v1.1.0")
    with pytest.raises(CheckFailed):
        stage(cloud, at, "v1.2.0", "ends")
    cloud.run.services.after_failure.routes_with_error = True
    live = host(cloud).shift(first, 100)
    assert [d.key for d in live.serving()] == [first]
    assert cloud.answer(PUBLIC).json()["release"] == "v1.0.0"


@OBSERVES
def test_a_first_release_that_failed_is_followed_by_one_that_serves(cloud: Clouds, observes: bool) -> None:
    cloud.run.services.after_failure.observes = observes
    at = host(cloud)
    with pytest.raises(CheckFailed):
        stage(cloud, at, "v1.0.0", "ends")
    staged = stage(cloud, at, "v1.0.1")
    assert (staged.ready, staged.traffic) == (True, 100)
    assert cloud.answer(PUBLIC).json()["release"] == "v1.0.1"


def test_a_twin_that_fails_gets_no_traffic(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    staged = stage(cloud, at, "v1.1.0", "bad-workers")
    with pytest.raises(CheckFailed, match="-live did not become ready"):
        at.shift(staged.key, 10)
    assert [(d.key, d.traffic) for d in at.live().serving()] == [(first, 100)]


def test_someone_elses_change_of_traffic_is_a_conflict(cloud: Clouds) -> None:
    at, other = host(cloud), host(cloud)
    first = released(cloud, at, "v1.0.0")
    second = released(cloud, at, "v1.1.0")
    at.live()
    other.shift(first, 100)
    with pytest.raises(ConflictError, match="changed by someone else"):
        at.shift(second, 100)
    at.live()
    at.shift(second, 100)


def test_nothing_is_moved_without_the_lock(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    second = stage(cloud, at, "v1.1.0").key
    at.mark(lambda marks: replace(marks, lock=Lock(id="7", kind="rollback", release="v0.9.0", by="on-call")))
    with pytest.raises(ConflictError, match=r"stopped by the rollback to v0\.9\.0 by on-call"):
        at.shift(second, 10, lock="3")
    with pytest.raises(ConflictError, match="stopped by"):
        at.mark_stable(second, lock="3")
    assert [(d.key, d.traffic) for d in at.live().serving()] == [(first, 100)]
    at.shift(second, 100, lock="7")
    at.mark_stable(second, lock="7")
    assert at.live().marks.lock is None


def test_a_lock_that_is_taken_between_the_look_and_the_write_stops_it(
    cloud: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The etag of the state in which the lock was seen goes with the write, and Google refuses it."""
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    second = stage(cloud, at, "v1.1.0").key
    at.mark(lambda marks: replace(marks, lock=Lock(id="3", kind="delivery")))
    route = at._route

    def late(service: Any, wanted: Any) -> Any:
        host(cloud).mark(lambda marks: replace(marks, lock=Lock(id="7", kind="rollback")))
        return route(service, wanted)

    monkeypatch.setattr(at, "_route", late)
    with pytest.raises(ConflictError, match="changed by someone else"):
        at.shift(second, 10, lock="3")
    assert [(d.key, d.traffic) for d in host(cloud).live().serving()] == [(first, 100)]


def test_what_has_no_tag_is_given_one_to_be_asked_at(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    assert at.live().deployments[0].url == "", "what is stable has lost its tag"
    address = at.address(first)
    assert address == at.address(first) == host(cloud).live().deployments[0].url != ""
    with pytest.raises(InputError, match="there is no revision api-v9"):
        at.address("api-v9")


def test_a_candidate_that_is_staged_meanwhile_takes_no_address_from_a_delivery(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    second = stage(cloud, at, "v1.1.0").key
    at.mark(lambda marks: replace(marks, lock=Lock(id="3", kind="delivery", release="v1.1.0")))
    live_address = at.address(first)
    stage(cloud, host(cloud), "v1.2.0")
    addresses = {d.key: d.url for d in host(cloud).live().deployments}
    assert addresses[second] and addresses[first] == live_address


def test_a_stale_etag_after_an_unrelated_change_is_no_conflict(cloud: Clouds) -> None:
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    released(cloud, at, "v1.1.0")
    service = at._existing()
    label = {"labels": {"team": "platform"}}
    at._service.change(at._existing(), label, lambda now: now.get("labels") == label["labels"])
    changed = at._route(service, at_hundred(service, first))
    assert [t["revision"] for t in changed["trafficStatuses"] if t.get("percent")] == [first]


def at_hundred(service: dict[str, Any], revision: str) -> Any:
    from pipelines.providers.cloud_run_traffic import Traffic

    return Traffic.asked(service).shifted(revision, 100)


@pytest.mark.parametrize("kind", ["lose_answer", "cut"])
@pytest.mark.parametrize("number", range(5))
def test_a_lost_answer_never_makes_two(cloud: Clouds, kind: str, number: int) -> None:
    """Every write of a whole way is hit in turn: create, stage, twin, shift, mark as stable."""
    released(cloud, host(cloud), "v1.0.0")
    before = {d.key for d in host(cloud).live().deployments}
    writes = len(cloud.writes("cloud-run"))
    cloud.fault(kind=kind, emulator="cloud-run", method="PATCH|POST", after=number)
    at = host(cloud)
    staged = stage(cloud, at, "v1.1.0")
    at.shift(staged.key, 50)
    at.shift(staged.key, 100)
    at.mark_stable(staged.key)
    live = host(cloud).live()
    made = {d.key for d in live.deployments} - before
    assert made == {staged.key, f"{staged.key}-live"}
    assert [(d.key, d.traffic) for d in live.serving()] == [(f"{staged.key}-live", 100)]
    assert live.marks.stable[0] == f"{staged.key}-live"
    # Stage, twin, two shifts, mark as stable; one more only when the write had not happened.
    assert len(cloud.writes("cloud-run")) - writes == (6 if kind == "cut" else 5)


def whole_way(cloud: Clouds, at: CloudRunHost) -> str:
    """As a delivery does it: what is done already is not asked for again."""
    staged = stage(cloud, at, "v1.1.0")
    for percent in (50, 100):
        has = sum(d.traffic for d in at.live().serving() if d.identity == staged.identity)
        if has < percent:
            at.shift(staged.key, percent)
    main = at.live().main()
    assert main is not None
    at.mark_stable(main.key)
    return main.key


@pytest.mark.parametrize("number", range(5))
def test_a_run_killed_after_any_write_is_finished_by_the_next(cloud: Clouds, number: int) -> None:
    first = released(cloud, host(cloud), "v1.0.0")
    before = {d.key for d in host(cloud).live().deployments}
    with pytest.raises(Died):
        whole_way(cloud, CloudRunHost(target(), Dying(cloud.http, number), lambda: "token"))
    assert cloud.answer(PUBLIC).status_code == 200
    key = whole_way(cloud, host(cloud))
    live = host(cloud).live()
    assert {d.key for d in live.deployments} - before == {key, key.removesuffix("-live")}
    assert ({d.key: d.traffic for d in live.serving()}, live.marks.stable) == ({key: 100}, (key, first))
    assert all(not d.url for d in live.deployments)


@pytest.mark.parametrize("kind", ["throttle", "status", "cut", "delay"])
def test_reads_are_asked_again(cloud: Clouds, kind: str) -> None:
    at = host(cloud)
    released(cloud, at, "v1.0.0")
    cloud.fault(kind=kind, emulator="cloud-run", method="GET", times=2, retry_after=0, seconds=0.01)
    main = at.live().main()
    assert main is not None
    assert main.identity is not None
    assert main.identity.release == "v1.0.0"


def test_secrets_are_named_by_number_and_read_by_the_revision(cloud: Clouds) -> None:
    cloud.secrets.secrets.create(API.project, "greeting", {"replication": {"automatic": {}}})
    cloud.secrets.secrets.add_version(f"projects/{API.project}/secrets/greeting", b"from the vault")
    at = host(cloud, env={}, secrets={"GREETING": "greeting@1"})
    staged = stage(cloud, at, "v1.0.0")
    assert cloud.answer(staged.url.removeprefix("https://")).json()["greeting"] == "from the vault"
    with pytest.raises(CheckFailed, match="SECRETS_ACCESS"):
        stage(cloud, host(cloud, env={}, secrets={"GREETING": "greeting@2"}), "v1.1.0")


def test_a_change_of_settings_is_a_new_candidate_of_the_same_release(cloud: Clouds) -> None:
    released(cloud, host(cloud), "v1.0.0")
    one = stage(cloud, host(cloud), "v1.1.0")
    two = stage(cloud, host(cloud, env={"GREETING": "good evening"}), "v1.1.0")
    assert one.key != two.key
    assert cloud.answer(two.url.removeprefix("https://")).json()["greeting"] == "good evening"


def test_what_the_manifest_does_not_own_stays(cloud: Clouds) -> None:
    """A template is sent whole: what someone set by other means would be erased."""
    at = host(cloud)
    first = released(cloud, at, "v1.0.0")
    service = cloud.run.services.get(API)
    revision = service.revisions[first]
    set_elsewhere = {
        "timeout": "900s",
        "maxInstanceRequestConcurrency": 10,
        "vpcAccess": {"connector": "projects/p/locations/l/connectors/c", "egress": "PRIVATE_RANGES_ONLY"},
        "volumes": [{"name": "sql", "cloudSqlInstance": {"instances": ["p:l:db"]}}],
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
    }
    revision.template.update(set_elsewhere)
    mounts = [{"name": "sql", "mountPath": "/cloudsql"}]
    revision.template["containers"][0]["resources"] = {"limits": {"cpu": "2", "memory": "1Gi"}, "cpuIdle": False}
    revision.template["containers"][0]["volumeMounts"] = mounts
    second = released(cloud, at, "v1.1.0")
    made = cloud.run.services.get(API).revisions[second].template
    assert {key: made[key] for key in set_elsewhere} == set_elsewhere
    assert made["containers"][0]["volumeMounts"] == mounts
    assert made["containers"][0]["resources"]["limits"] == {"cpu": "2", "memory": "1Gi"}
    # Asked again it is the same revision, and what the manifest owns wins.
    assert host(cloud).stage(*parts(cloud, "v1.1.0")).key == second
    third = stage(cloud, host(cloud, memory="2Gi", timeout_seconds=60, cloud_sql=()), "v1.2.0").key
    owned = cloud.run.services.get(API).revisions[third].template
    assert owned["containers"][0]["resources"]["limits"] == {"cpu": "2", "memory": "2Gi"}
    assert (owned["timeout"], owned["maxInstanceRequestConcurrency"]) == ("60s", 10)
    assert "volumes" not in owned
    assert "volumeMounts" not in owned["containers"][0]


def test_what_is_not_there_is_named(cloud: Clouds) -> None:
    at = host(cloud)
    with pytest.raises(InputError, match="there is no service api"):
        at.shift("api-v9", 100)
    stage(cloud, at, "v1.0.0")
    with pytest.raises(InputError, match="there is no revision api-v9"):
        at.shift("api-v9", 100)
    artifact, identity = parts(cloud, "v1.1.0")
    by_tag = Artifact(
        component="backend", digest=artifact.digest, reference=f"{artifact.reference.partition('@')[0]}:v1.1.0"
    )
    with pytest.raises(InputError, match="not a reference by digest"):
        at.stage(by_tag, identity)
