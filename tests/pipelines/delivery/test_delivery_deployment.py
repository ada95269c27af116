"""Staging walked in one process and production in jobs: what goes out, what a failure leaves, and that a killed run is finished."""

from __future__ import annotations

import pytest

from pipelines.checks.report import Report
from pipelines.delivery import deployment, staging
from pipelines.delivery.context import Candidate, Delivery
from pipelines.delivery.rollback import Request, roll_back
from pipelines.errors import CheckFailed, ConflictError, InputError, RefusedError
from tests.memory_hosts import Killed
from tests.shop import COMPONENTS, Shop

pytestmark = pytest.mark.world

MOST_WRITES = 40
"""Bound of the kill tests: a deployment has fewer."""


def deploy(shop: Shop, release: str, *, run: bool = False) -> Delivery:
    delivery = shop.delivery("staging", shop.start() if run else None)
    staging.deploy(delivery, release, shop.artifacts(release))
    return delivery


def serving(shop: Shop, environment: str = "staging") -> list[dict[str, int]]:
    return [shop.host(environment, component).serving() for component in COMPONENTS]


@pytest.mark.parametrize("run", [False, True], ids=["terminal", "job"])
def test_both_components_go_live_and_are_settled(shop: Shop, run: bool) -> None:
    deploy(shop, "sha-1", run=run)
    assert serving(shop) == [{"sha-1": 100}, {"sha-1": 100}]
    (record,) = shop.ledger().records("staging")
    assert [event.state for event in record.events] == ["success", "in_progress"]
    assert record.events[0].text == "sha-1 is live, 3 checks passed"
    for component in COMPONENTS:
        host = shop.host("staging", component)
        assert host.settled == (host.deployments[0].key,)


def test_the_same_again_changes_nothing(shop: Shop) -> None:
    deploy(shop, "sha-1")
    before = [list(shop.host("staging", c).deployments) for c in COMPONENTS]
    shop.writes.seen.clear()
    delivery = deploy(shop, "sha-1")
    assert [list(shop.host("staging", c).deployments) for c in COMPONENTS] == before
    assert len(shop.ledger().records("staging")) == 1
    assert not any(write.startswith(("stage", "shift", "settle")) for write in shop.writes.seen)
    assert "is there already" in shop.log.getvalue()
    assert delivery.runtime.stream is shop.log


def test_without_github_it_deploys_and_warns(shop: Shop) -> None:
    delivery = shop.delivery("staging")
    delivery.github = None
    staging.deploy(delivery, "sha-1", shop.artifacts("sha-1"))
    assert serving(shop) == [{"sha-1": 100}, {"sha-1": 100}]
    assert "no GITHUB_TOKEN" in shop.log.getvalue()
    assert shop.ledger().records("staging") == []


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("run", [False, True], ids=["terminal", "job"])
def test_killed_at_any_write_the_next_run_finishes_it(shop: Shop, run: bool, after_effect: bool) -> None:
    """Providers and ledger alike; nothing stands twice."""
    deploy(shop, "sha-0")
    started = shop.start() if run else None
    for number in range(1, MOST_WRITES):
        release = f"sha-{number}"
        artifacts = shop.artifacts(release)
        shop.writes.kill_at(number, after_effect=after_effect)
        try:
            staging.deploy(shop.delivery("staging", started), release, artifacts)
        except Killed:
            shop.writes.spare()
            staging.deploy(shop.delivery("staging", started), release, artifacts)
            done = True
        else:
            done = False
        shop.writes.spare()
        assert serving(shop) == [{release: 100}, {release: 100}]
        assert [shop.host("staging", c).staged(release) for c in COMPONENTS] == [1, 1]
        records = [r for r in shop.ledger().records("staging", limit=3) if r.release == release]
        assert [record.state for record in records] == ["success"]
        if started is not None:
            shop.end(started, "success")
            started = shop.start()
        if not done:
            break
    assert number > 8


@pytest.mark.parametrize("fault", ["lose_answer", "cut", "status", "throttle"])
def test_githubs_bad_answers_are_survived(shop: Shop, fault: str) -> None:
    run, artifacts = shop.start(), shop.artifacts("sha-1")
    delivery = shop.delivery("staging", run)
    shop.fault(kind=fault, times=3, after=2)
    shop.fault(kind=fault, times=1, after=1, method="POST")
    staging.deploy(delivery, "sha-1", artifacts)
    assert sum(fired.kind == fault for fired in shop.faults.fired) == 4
    (record,) = shop.ledger().records("staging")
    assert record.state == "success"


def test_a_candidate_that_fails_its_checks_never_gets_traffic(shop: Shop) -> None:
    deploy(shop, "sha-1")
    shop.host("staging", "backend").dead.add("sha-2")
    with pytest.raises(CheckFailed, match=r"backend, step 2/2(.|\n)*candidate"):
        deploy(shop, "sha-2")
    assert serving(shop) == [{"sha-1": 100}, {"sha-1": 100}]
    assert not any(write.startswith("shift") for write in shop.writes.seen[-6:])
    record = shop.ledger().records("staging")[0]
    assert (record.release, record.state) == ("sha-2", "failure")
    assert record.events[0].text.startswith("backend of sha-2: ")


def test_a_release_that_is_sick_where_users_are_is_not_settled(shop: Shop) -> None:
    deploy(shop, "sha-1")
    shop.host("staging", "web").sick.add("sha-2")
    with pytest.raises(CheckFailed, match="the page is this release"):
        deploy(shop, "sha-2")
    assert all("sha-2" not in key for key in shop.host("staging", "web").settled)
    roll_back(shop.delivery("staging"), Request(failed="sha-2"))
    assert serving(shop) == [{"sha-1": 100}, {"sha-1": 100}]


def test_somebody_who_rolls_back_meanwhile_is_not_overruled(shop: Shop) -> None:
    deploy(shop, "sha-1")
    deploy(shop, "sha-2")
    delivery = shop.delivery("staging")
    candidate = Candidate(release="sha-2", commit=delivery_commit(delivery), artifacts=shop.artifacts("sha-2"))
    report = deployment.prove(delivery, candidate)
    roll_back(shop.delivery("staging"), Request())
    with pytest.raises(ConflictError, match="sha-1 is live, not sha-2"):
        deployment.settle(shop.delivery("staging"), candidate, report)
    assert serving(shop) == [{"sha-1": 100}, {"sha-1": 100}]


def delivery_commit(delivery: Delivery) -> str:
    from pipelines.delivery.assembly import head_commit

    return head_commit(delivery.manifest.root)


def test_a_check_with_nothing_measured_is_no_success(shop: Shop) -> None:
    with pytest.raises(CheckFailed):
        deployment.require_passed(shop.delivery("staging"), Report(results=(), seconds=0.0))


def test_what_cannot_be_deployed_is_refused_before_anything_is_written(shop: Shop) -> None:
    delivery = shop.delivery("staging")
    artifacts = {**shop.artifacts("sha-1"), "web": "host/web:latest"}
    with pytest.raises(InputError, match="host/web:latest is not a reference by digest"):
        staging.deploy(delivery, "sha-1", artifacts)
    with pytest.raises(InputError, match=r"there is no environment 'qa'(.|\n)*staging, production"):
        shop.delivery("qa")
    with pytest.raises(InputError, match=r"'mobile' does not live in staging(.|\n)*one of: backend, web"):
        delivery.host("mobile")
    assert shop.ledger().records("staging") == []


def test_the_artifacts_are_given_or_those_live_elsewhere(shop: Shop) -> None:
    given = shop.artifacts("sha-1")
    delivery = shop.delivery("staging")
    assert staging.references(delivery, given, None) == given
    with pytest.raises(InputError, match="no artifact for web"):
        staging.references(delivery, {"backend": given["backend"]}, None)
    with pytest.raises(InputError, match="nothing live in production"):
        staging.references(delivery, {}, "production")
    commit = shop.released("v1.0.0")
    live = shop.artifacts(commit[:12])
    assert staging.references(delivery, {}, "production") == live
    assert staging.references(delivery, {"web": given["web"]}, "production") == {**live, "web": given["web"]}


def test_after_one_component_went_back_alone_both_are_found(shop: Shop) -> None:
    """The newest record of each component, not the newest record."""
    first, second = shop.released("v1.0.0"), shop.released("v1.1.0")
    roll_back(shop.delivery("production"), Request(components=("backend",)))
    found = staging.references(shop.delivery("staging"), {}, "production")
    assert found == {
        "backend": shop.artifacts(first[:12])["backend"],
        "web": shop.artifacts(second[:12])["web"],
    }


def test_production_is_refused_without_an_approval(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    for plan in ("", "0123456789ab"):
        candidate = Candidate(release="v1.0.0", commit=commit, artifacts=shop.artifacts(commit[:12]), plan=plan)
        with pytest.raises(RefusedError, match="no approval"):
            deployment.stage(shop.delivery("production", shop.start()), candidate, "backend")
    assert serving(shop, "production") == [{}, {}]
