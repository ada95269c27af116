"""Plans as values: what a deployment and a rollback would do, from facts."""

from dataclasses import replace

import pytest

from pipelines.delivery.plan import Part, Return, plan_rollback, plan_settle, plan_shift, plan_stage
from pipelines.delivery.run import digest
from pipelines.errors import RefusedError
from pipelines.roles import Artifact, Deployed, Identity, Live

DIGEST = "sha256:" + "a" * 64


def identity(release: str) -> Identity:
    return Identity(release=release, commit="c" * 40, digest=DIGEST)


def deployed(key: str, release: str | None, traffic: int = 0, *, ready: bool = True) -> Deployed:
    return Deployed(
        key=key,
        url=f"https://{key}.test",
        ready=ready,
        identity=identity(release) if release else None,
        traffic=traffic,
    )


def part(live: Live, release: str = "v2", shift: tuple[int, ...] = (10, 100), component: str = "backend") -> Part:
    artifact = Artifact(component=component, digest=DIGEST, reference=f"r@{DIGEST}")
    return Part(
        component=component, artifact=artifact, identity=identity(release), live=live, shift=shift, watch_seconds=5
    )


OLD_LIVE = Live(url="https://x.test", deployments=(deployed("r2", "v2"), deployed("r1", "v1", 100)), settled=("r1",))


def test_stage_is_migrate_stage_verify() -> None:
    steps = plan_stage(part(Live(url="u")), ["0002_more.expand.sql"])
    assert [step.action for step in steps] == ["migrate", "stage", "verify"]
    assert not any(step.done for step in steps)


def test_what_is_staged_is_not_staged_again() -> None:
    steps = plan_stage(part(OLD_LIVE))
    assert [(step.action, step.done) for step in steps] == [("stage", "r2 is there already"), ("verify", "")]


def test_a_candidate_that_is_not_ready_is_staged_again() -> None:
    live = replace(OLD_LIVE, deployments=(deployed("r2", "v2", ready=False),))
    assert plan_stage(part(live))[0].done == ""


def test_traffic_goes_in_steps_gradual_components_first() -> None:
    web = part(OLD_LIVE, shift=(100,), component="web")
    steps = plan_shift([web, part(OLD_LIVE)])
    assert [(step.component, step.detail["percent"]) for step in steps] == [
        ("backend", "10"),
        ("backend", "100"),
        ("web", "100"),
    ]
    assert {step.detail["watch"] for step in steps} == {"5"}  # one step to all traffic is watched as well


def test_a_run_killed_between_steps_goes_on_from_there() -> None:
    live = replace(OLD_LIVE, deployments=(deployed("r2", "v2", 10), deployed("r1", "v1", 90)))
    assert [bool(step.done) for step in plan_shift([part(live)])] == [True, False]


def test_nothing_is_shifted_that_is_not_staged() -> None:
    with pytest.raises(RefusedError, match="not staged"):
        plan_shift([part(replace(OLD_LIVE, deployments=()))])


def test_settle_once() -> None:
    live = Live(url="u", deployments=(deployed("r2", "v2", 100),), settled=("r1",))
    assert plan_settle([part(live)])[0].done == ""
    assert plan_settle([part(replace(live, settled=("r2", "r1")))])[0].done == "is settled already"


def test_the_digest_names_what_happens_not_what_is_done_already() -> None:
    fresh = plan_stage(part(Live(url="u")))
    assert digest(fresh) == digest(plan_stage(part(OLD_LIVE)))
    assert digest(fresh) != digest(plan_stage(part(Live(url="u"), release="v3")))


def back(**lives: Live) -> Return:
    return Return(live=lives)


def test_back_goes_to_the_release_settled_before() -> None:
    live = Live(url="u", deployments=(deployed("r2", "v2", 100), deployed("r1", "v1")), settled=("r2", "r1"))
    web = Live(url="w", deployments=(deployed("d2", "v2", 100), deployed("d1", "v1")))
    steps = plan_rollback(back(backend=live, web=web))
    assert [(s.action, s.component, s.detail.get("key", "")) for s in steps] == [
        ("back", "backend", "r1"),
        ("back", "web", "d1"),
        ("outside", "backend", ""),
        ("outside", "web", ""),
    ]


def test_back_from_a_release_that_was_never_settled() -> None:
    live = Live(
        url="u",
        deployments=(deployed("r3", "v3", 100), deployed("r2", "v2"), deployed("r1", "v1")),
        settled=("r2", "r1"),
    )
    assert plan_rollback(back(backend=live))[0].detail["release"] == "v2"


def test_back_in_the_middle_of_a_shift() -> None:
    live = Live(url="u", deployments=(deployed("r2", "v2", 10), deployed("r1", "v1", 90)), settled=("r1",))
    assert plan_rollback(replace(back(backend=live), failed=frozenset({"v2"})))[0].detail["key"] == "r1"


def test_a_candidate_that_never_had_traffic_is_never_gone_back_to() -> None:
    live = Live(
        url="u",
        deployments=(deployed("r3", "v3", 100), deployed("r2", "v2"), deployed("r1", "v1")),
        settled=("r3", "r1"),
    )
    assert plan_rollback(back(backend=live))[0].detail["release"] == "v1"


def test_failed_releases_are_skipped() -> None:
    live = Live(
        url="u",
        deployments=(deployed("r3", "v3", 100), deployed("r2", "v2"), deployed("r1", "v1")),
        settled=("r3", "r2", "r1"),
    )
    assert plan_rollback(replace(back(backend=live), failed=frozenset({"v2"})))[0].detail["release"] == "v1"


def test_already_back_says_so() -> None:
    live = Live(url="u", deployments=(deployed("r2", "v2"), deployed("r1", "v1", 100)), settled=("r1",))
    assert plan_rollback(replace(back(backend=live), to="v1"))[0].done == "has all traffic already"


def test_the_first_release_has_nothing_to_go_back_to() -> None:
    live = Live(url="u", deployments=(deployed("r1", "v1", 100),), settled=("r1",))
    with pytest.raises(RefusedError, match="no earlier release"):
        plan_rollback(back(backend=live))


def test_an_incompatible_schema_refuses() -> None:
    live = Live(url="u", deployments=(deployed("r2", "v2", 100), deployed("r1", "v1")), settled=("r2", "r1"))
    with pytest.raises(RefusedError, match=r"0003_drop\.contract"):
        plan_rollback(replace(back(backend=live), unsafe={"v1": "the database has 0003_drop.contract.sql since"}))


def test_a_component_without_that_release_refuses_for_all() -> None:
    live = Live(url="u", deployments=(deployed("r2", "v2", 100), deployed("r1", "v1")), settled=("r2", "r1"))
    web = Live(url="w", deployments=(deployed("d2", "v2", 100),))
    with pytest.raises(RefusedError, match="no ready deployment of v1"):
        plan_rollback(back(backend=live, web=web))
