"""The whole way in one process: what goes out, what a failure leaves, and that a killed run is finished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.checks.report import Report
from pipelines.delivery import direct
from pipelines.delivery.context import Context
from pipelines.delivery.first_deployment import DomainNotMapped
from pipelines.delivery.rollback import Request, roll_back
from pipelines.delivery.steps import smoke
from pipelines.errors import CheckFailed, ConflictError, CredentialsError, InputError
from pipelines.roles import Lock
from pipelines.steps import Done
from tests.memory_hosts import Killed
from tests.shop import COMPONENTS, Shop

pytestmark = pytest.mark.world

MOST_WRITES = 40
"""Bound of the kill tests: a deployment has fewer."""


def deploy(shop: Shop, release: str, *, run: bool = False) -> list[Done]:
    return direct.deploy(context(shop, run=run), release, shop.artifacts(release))


def context(shop: Shop, *, run: bool = False) -> Context:
    return shop.context("staging", shop.start() if run else None)


def serving(shop: Shop) -> list[dict[str, int]]:
    return [shop.host("staging", component).serving() for component in COMPONENTS]


def both(release: str) -> list[dict[str, int]]:
    return [{release: 100}, {release: 100}]


@pytest.mark.parametrize("run", [False, True], ids=["terminal", "job"])
def test_everything_goes_live_and_is_stable(shop: Shop, run: bool) -> None:
    done = deploy(shop, "sha-1", run=run)
    assert [(d.step.component, d.step.name, d.skipped) for d in done] == [
        ("backend", "stage", False),
        ("backend", "verify", False),
        ("web", "stage", False),
        ("web", "verify", False),
        ("backend", "lock", False),
        ("web", "lock", False),
        ("backend", "shift", False),
        ("web", "shift", False),
        ("staging", "smoke", False),
        ("backend", "mark-stable", False),
        ("web", "mark-stable", False),
    ]
    assert serving(shop) == both("sha-1")
    (record,) = shop.ledger().records("staging")
    assert [event.state for event in record.events] == ["success", "in_progress"]
    assert record.events[0].text == "sha-1 is live, 3 checks passed"
    for component in COMPONENTS:
        host = shop.host("staging", component)
        assert host.marks.stable == (host.deployments[0].key,)


def test_what_a_deployment_carries_with_it(shop: Shop) -> None:
    run = shop.start("release-manager")
    direct.deploy(shop.context("staging", run), "sha-1", shop.artifacts("sha-1"))
    identity = shop.host("staging", "web").deployments[0].identity
    assert identity is not None
    assert (identity.release, identity.commit, identity.by, identity.attempt) == (
        "sha-1",
        shop.head("main"),
        "release-manager",
        "1",
    )
    assert identity.run.endswith(f"/actions/runs/{run.id}")
    assert identity.digest == shop.artifacts("sha-1")["web"].partition("@")[2]


def test_the_same_again_changes_nothing(shop: Shop) -> None:
    deploy(shop, "sha-1")
    before = [list(shop.host("staging", c).deployments) for c in COMPONENTS]
    shop.writes.seen.clear()
    done = deploy(shop, "sha-1")
    assert [list(shop.host("staging", c).deployments) for c in COMPONENTS] == before
    assert not [write for write in shop.writes.seen if write.startswith(("stage", "shift", "mark"))]
    assert [d.step.name for d in done if not d.skipped] == ["verify", "verify", "smoke"]
    assert "is there already" in shop.log.getvalue()


def test_the_next_release_is_planned_on_the_one_before(shop: Shop) -> None:
    deploy(shop, "sha-1")
    deploy(shop, "sha-2")
    assert serving(shop) == both("sha-2")
    for component in COMPONENTS:
        host = shop.host("staging", component)
        assert [key.rpartition("-")[0] for key in host.marks.stable] == ["sha-2", "sha-1"]


@pytest.mark.parametrize("how", ["no token", "down"])
def test_without_github_it_deploys(shop: Shop, how: str) -> None:
    deploying = context(shop)
    artifacts = shop.artifacts("sha-1")
    if how == "down":
        shop.fault(kind="status", times=None)
    else:
        deploying.github = None
    direct.deploy(deploying, "sha-1", artifacts)
    assert serving(shop) == both("sha-1")
    assert shop.log.getvalue().count("the ledger could not be updated") == (how == "down"), "once, and then left alone"
    shop.faults.clear()
    assert shop.ledger().records("staging") == []


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("run", [False, True], ids=["terminal", "job"])
def test_killed_at_any_write_the_next_run_finishes_it(shop: Shop, run: bool, after_effect: bool) -> None:
    """Providers and ledger alike; at the providers nothing stands twice."""
    deploy(shop, "sha-0")
    started = shop.start() if run else None
    for number in range(1, MOST_WRITES):
        release = f"sha-{number}"
        artifacts = shop.artifacts(release)
        shop.writes.kill_at(number, after_effect=after_effect)
        try:
            direct.deploy(shop.context("staging", started), release, artifacts)
            killed = False
        except Killed:
            shop.writes.spare()
            direct.deploy(shop.context("staging", started), release, artifacts)
            killed = True
        shop.writes.spare()
        assert serving(shop) == both(release), number
        assert [shop.host("staging", c).staged(release) for c in COMPONENTS] == [1, 1]
        for component in COMPONENTS:
            stable = [key.rpartition("-")[0] for key in shop.host("staging", component).marks.stable]
            assert stable[:2] == [release, f"sha-{number - 1}"]
        records = [r for r in shop.ledger().records("staging", limit=3) if r.release == release]
        assert records[0].state == "success"
        if started is not None:
            assert len(records) == 1, "a run has one record"
            shop.end(started, "success")
            started = shop.start()
        if not killed:
            break
    assert number > 9


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
def test_the_first_release_of_all_killed_at_any_write(shop: Shop, after_effect: bool) -> None:
    """Nothing is there yet to be its base, and nothing becomes it."""
    artifacts = shop.artifacts("sha-1")
    for number in range(1, MOST_WRITES):
        for component in COMPONENTS:
            host = shop.host("staging", component)
            host.deployments, host.marks = [], type(host.marks)()
        shop.writes.kill_at(number, after_effect=after_effect)
        try:
            direct.deploy(context(shop), "sha-1", artifacts)
            killed = False
        except Killed:
            shop.writes.spare()
            direct.deploy(context(shop), "sha-1", artifacts)
            killed = True
        shop.writes.spare()
        assert serving(shop) == both("sha-1"), number
        assert [len(shop.host("staging", c).marks.stable) for c in COMPONENTS] == [1, 1]
        if not killed:
            break
    assert number > 9


@pytest.mark.parametrize("fault", ["lose_answer", "cut", "status", "throttle"])
def test_githubs_bad_answers_are_survived(shop: Shop, fault: str) -> None:
    deploying, artifacts = context(shop, run=True), shop.artifacts("sha-1")
    shop.fault(kind=fault, times=1, method="GET")
    shop.fault(kind=fault, times=1, method="POST")
    direct.deploy(deploying, "sha-1", artifacts)
    assert sum(fired.kind == fault for fired in shop.faults.fired) == 2
    (record,) = shop.ledger().records("staging")
    assert record.state == "success"


def test_nothing_is_deployed_where_a_candidate_could_not_be_checked(shop: Shop) -> None:
    shop.host("staging", "web").closed = True
    with pytest.raises(CredentialsError, match="nothing lets checks see a candidate"):
        deploy(shop, "sha-1")
    assert [shop.host("staging", component).deployments for component in COMPONENTS] == [[], []]
    assert shop.writes.seen == []


def test_a_candidate_that_fails_its_checks_never_gets_traffic(shop: Shop) -> None:
    deploy(shop, "sha-1")
    shop.host("staging", "web").dead.add("sha-2")
    shop.writes.seen.clear()
    with pytest.raises(CheckFailed, match=r"web, step 4/11(.|\n)*candidate"):
        deploy(shop, "sha-2")
    assert serving(shop) == both("sha-1")
    assert not [write for write in shop.writes.seen if write.startswith("shift")]
    record = shop.ledger().records("staging")[0]
    assert (record.release, record.state) == ("sha-2", "failure")
    assert record.events[0].text.startswith("sha-2: ")


def test_a_release_that_is_sick_where_users_are_is_taken_back(shop: Shop) -> None:
    deploy(shop, "sha-1")
    shop.host("staging", "web").sick.add("sha-2")
    with pytest.raises(CheckFailed, match=r"the page is this release(.|\n)*next: staging is back to sha-1; ") as failed:
        deploy(shop, "sha-2")
    assert "not rolled back" not in failed.value.why
    assert serving(shop) == both("sha-1")
    for component in COMPONENTS:
        marks = shop.host("staging", component).marks
        assert all("sha-2" not in key for key in marks.stable)
        assert (marks.lock, marks.restoring, marks.unannounced) == (None, "", "")
    assert shop.host("staging", "backend").marks.failed == {"sha-2": "its delivery failed"}
    back, failure, *_ = shop.ledger().records("staging")
    assert [(back.task, back.release, back.state), (failure.task, failure.release)] == [
        ("shipmate:rollback", "sha-1", "success"),
        ("shipmate", "sha-2"),
    ]
    assert [event.state for event in failure.events] == ["failure", "in_progress"]
    assert "nobody was notified: do it yourself" in shop.log.getvalue(), "this terminal has no way to"
    shop.host("staging", "web").sick.clear()
    deploy(shop, "sha-2")
    assert serving(shop) == both("sha-2"), "asked for again, it begins anew"


def test_a_first_release_that_fails_has_nothing_to_go_back_to(shop: Shop) -> None:
    shop.host("staging", "web").sick.add("sha-1")
    with pytest.raises(CheckFailed, match=r"not rolled back: nothing was live before sha-1(.|\n)*next: fix it forward"):
        deploy(shop, "sha-1")
    assert serving(shop) == both("sha-1")


def test_a_first_deployment_without_a_domain_says_so_and_the_next_run_goes_on(shop: Shop) -> None:
    backend = shop.host("staging", "backend")
    backend.unmapped = True
    with pytest.raises(DomainNotMapped, match="backend was deployed for the first time") as caught:
        deploy(shop, "sha-1")
    assert caught.value.where.endswith(": https://api-staging.techmate.ai")
    assert f"has passed its checks at {backend.deployments[0].url}" in caught.value.why
    assert "First deployment" in caught.value.next_step
    assert serving(shop) == both("sha-1"), "it stays where it is"
    backend.unmapped = False
    deploy(shop, "sha-1")
    assert (serving(shop), backend.staged("sha-1")) == (both("sha-1"), 1)
    backend.unmapped = True
    with pytest.raises(CheckFailed, match="checks failed") as later:
        deploy(shop, "sha-2")
    assert not isinstance(later.value, DomainNotMapped)
    assert serving(shop) == both("sha-1"), "an address that once led there is broken, and the release goes back"


@pytest.mark.parametrize("by", ["a rollback", "another delivery"])
def test_a_failure_takes_nothing_back_from_the_one_who_took_over(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    deploy(shop, "sha-1")
    real, others = smoke.require_passed, [by]

    def fail_after_them(report: Report, environment: str, where: str) -> str:
        if where != "staging" or not others:
            return real(report, environment, where)
        if others.pop() == "a rollback":
            roll_back(context(shop), Request())
        else:
            lock = Lock(id="other", kind="delivery", release="sha-3", base="sha-2", by="dev-2")
            for component in COMPONENTS:
                shop.host("staging", component).mark(lambda marks: replace(marks, lock=lock))
        raise CheckFailed("it is sick")

    monkeypatch.setattr("pipelines.delivery.steps.smoke.require_passed", fail_after_them)
    with pytest.raises(CheckFailed, match="it is sick") as failed:
        deploy(shop, "sha-2")
    assert failed.value.next_step == ""
    assert serving(shop) == both("sha-1" if by == "a rollback" else "sha-2")
    assert all(shop.host("staging", c).marks.failed.get("sha-2") != "its delivery failed" for c in COMPONENTS)


def test_someone_who_rolls_back_meanwhile_is_not_overruled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the smoke checks and the mark."""
    deploy(shop, "sha-1")

    def pass_and_lose(*_: object, **__: object) -> str:
        roll_back(context(shop), Request())
        return "passed"

    monkeypatch.setattr("pipelines.delivery.steps.smoke.require_passed", pass_and_lose)
    with pytest.raises(ConflictError, match="sha-1 is live, not sha-2 alone"):
        deploy(shop, "sha-2")
    assert serving(shop) == both("sha-1")
    assert [shop.host("staging", c).marks.stable[0].rpartition("-")[0] for c in COMPONENTS] == ["sha-1", "sha-1"]


def test_what_cannot_be_deployed_is_refused_before_anything_is_written(shop: Shop) -> None:
    artifacts = {**shop.artifacts("sha-1"), "web": "host/web:latest"}
    shop.writes.seen.clear()
    with pytest.raises(InputError, match="host/web:latest is not a reference by digest"):
        direct.deploy(context(shop), "sha-1", artifacts)
    with pytest.raises(InputError, match=r"there is no environment 'qa'(.|\n)*staging, production"):
        shop.context("qa")
    with pytest.raises(InputError, match=r"'mobile' does not live in staging(.|\n)*one of: backend, web"):
        context(shop).host("mobile")
    assert (shop.writes.seen, shop.ledger().records("staging")) == ([], [])


def test_the_artifacts_are_given_or_those_live_elsewhere(shop: Shop) -> None:
    given = shop.artifacts("sha-1")
    deploying = shop.context("production")
    assert direct.references(deploying, given, None) == given
    with pytest.raises(InputError, match="no artifact for web"):
        direct.references(deploying, {"backend": given["backend"]}, None)
    with pytest.raises(InputError, match="nothing of ours is live in production"):
        direct.references(deploying, {}, "production")
    live = shop.artifacts("v1.0.0")
    for component, reference in live.items():
        shop.host("production", component).put("v1.0.0", "c" * 40, reference.rpartition("@")[2])
    assert direct.references(deploying, {}, "production") == live
    assert direct.references(deploying, {"web": given["web"]}, "production") == {**live, "web": given["web"]}
    newer = shop.artifacts("v1.1.0")["backend"]
    shop.host("production", "backend").put("v1.1.0", "c" * 40, newer.rpartition("@")[2])
    assert direct.references(deploying, {}, "production") == {**live, "backend": newer}, "each by its own host"
