"""Production in jobs, each with a context of its own made from the plan's document: exactly that, killed anywhere, and back to its base."""

from __future__ import annotations

import json

import pytest

from pipelines.delivery.steps.shift import Shift
from pipelines.errors import CheckFailed, ConflictError, RefusedError
from tests.memory_hosts import Killed
from tests.pipelines.delivery.jobs import Delivery, planned
from tests.shop import COMPONENTS, Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

MOST_WRITES = 40


def live(shop: Shop, version: str, *components: str) -> None:
    """A release that is live and stable, of these components or of all."""
    for component, reference in shop.artifacts(version).items():
        if component in (components or COMPONENTS):
            shop.host("production", component).put(version, shop.head("main"), reference.rpartition("@")[2])


def serving(shop: Shop) -> list[dict[str, int]]:
    return [shop.host("production", component).serving() for component in COMPONENTS]


def both(release: str) -> list[dict[str, int]]:
    return [{release: 100}, {release: 100}]


def stable(shop: Shop) -> list[str]:
    """The release that each component's mark leads with."""
    return [shop.host("production", c).marks.stable[0].rpartition("-")[0].replace("-", ".") for c in COMPONENTS]


def going_out(shop: Shop, version: str) -> Delivery:
    return planned(shop, version, shop.artifacts(version))


def traffic(shop: Shop) -> list[str]:
    """Every shift that was made, in order: `v1-1-0 10 %`."""
    words = [write.split() for write in shop.writes.seen if write.startswith("shift")]
    return [f"{key.rpartition('-')[0]} {percent} %" for _, key, _, percent, _ in words]


# exactly the plan -------------------------------------------------------------------------------------------------------


def test_the_steps_that_are_carried_out_are_those_of_the_document(shop: Shop) -> None:
    live(shop, "v1.0.0")
    delivery = going_out(shop, "v1.1.0")
    shop.writes.seen.clear()
    done = delivery.all()
    written = json.loads(delivery.document)["steps"]
    assert [{**step, "job": ""} for step in written if step["job"] != "release"] == [
        {**json.loads(json.dumps(d.step.as_data())), "job": ""} for d in done
    ]
    assert [d.step.percent for d in done if isinstance(d.step, Shift)] == [10, 100, 100]
    assert traffic(shop) == ["v1-1-0 10 %", "v1-1-0 100 %", "v1-1-0 100 %"], "10 → 100 stays 10 → 100"
    assert serving(shop) == both("v1.1.0")
    identity = shop.host("production", "backend").deployments[0].identity
    assert identity is not None
    assert identity.approved == "release-manager"


def web_first() -> str:
    """The manifest with the web before the backend, where they live in production."""
    head, _, production = MANIFEST.partition("  production:\n")
    backend, web, smoke = (production.index(f"    {name}:\n") for name in ("backend", "web", "smoke"))
    return f"{head}  production:\n{production[:backend]}{production[web:smoke]}{production[backend:web]}{production[smoke:]}"


def test_the_order_is_the_manifests_when_it_is_planned_and_when_it_is_carried_out(shop: Shop) -> None:
    shop.commit("feat: web first", files={"shipmate.yml": web_first()})
    live(shop, "v1.0.0")
    delivery = going_out(shop, "v1.1.0")
    assert [each["component"] for each in json.loads(delivery.document)["components"]] == ["web", "backend"]
    shop.writes.seen.clear()
    done = delivery.all()
    assert [d.step.component for d in done if isinstance(d.step, Shift)] == ["web", "backend", "backend"]
    moved = [write for write in shop.writes.seen if write.startswith("shift")]
    assert [write.split()[3] for write in moved] == ["100", "10", "100"]
    keys = [shop.host("production", c).deployments[0].key for c in ("web", "backend")]
    assert [write.split()[1] for write in moved] == [keys[0], keys[1], keys[1]]


def test_what_the_plan_does_not_allow_is_not_carried_out_by_any_job(shop: Shop) -> None:
    """The policy of main changed between the plan and the jobs."""
    live(shop, "v1.0.0")
    delivery = going_out(shop, "v1.1.0")
    shop.commit("chore: all at once", files={"shipmate.yml": MANIFEST.replace("[10, 100]", "[100]")})
    shop.writes.seen.clear()
    for job in (lambda: delivery.deploy("web"), delivery.go_live, delivery.back):
        with pytest.raises(RefusedError, match="shift"):
            job()
    assert (shop.writes.seen, serving(shop)) == ([], both("v1.0.0"))


def test_nothing_goes_live_that_was_not_deployed(shop: Shop) -> None:
    live(shop, "v1.0.0")
    delivery = going_out(shop, "v1.1.0")
    delivery.deploy("web")
    with pytest.raises(ConflictError, match=r"the candidate of v1\.1\.0 is gone"):
        delivery.go_live()
    assert serving(shop) == both("v1.0.0")


# killed -----------------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("anew", [False, True], ids=["re-run", "dispatched again"])
def test_killed_at_any_write_it_is_finished_by_running_again(shop: Shop, anew: bool, after_effect: bool) -> None:
    """By the same plan, or by one that is made anew: it comes out the same, whatever was done already."""
    live(shop, "v1.0.0")
    for number in range(1, MOST_WRITES):
        version = f"v1.{number}.0"
        delivery = going_out(shop, version)
        shop.writes.kill_at(number, after_effect=after_effect)
        try:
            delivery.all()
            killed = False
        except Killed:
            killed = True
        shop.writes.spare()
        if killed:
            again = going_out(shop, version) if anew else delivery
            started = json.loads(again.document)["steps"] == json.loads(delivery.document)["steps"]
            # Once one of the two is stable it is its own base: only the plan that was made before knows the old one.
            assert started or set(stable(shop)) & {version}
            again.all()
        assert serving(shop) == both(version), number
        assert [shop.host("production", c).staged(version) for c in COMPONENTS] == [1, 1]
        assert stable(shop) == [version, version]
        if not killed:
            break
    assert number > 9


@pytest.mark.long
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
def test_a_failed_delivery_returns_to_its_base_whatever_was_killed(shop: Shop, after_effect: bool) -> None:
    """Go live dies at a write, and the job that rolls it back dies at one, too; the next one ends there, and then nothing is left."""
    for first in range(1, MOST_WRITES):
        version = f"v1.{first}.0"
        ended = False
        for second in range(1, MOST_WRITES):
            for component in COMPONENTS:
                host = shop.host("production", component)
                host.deployments, host.marks = [], type(host.marks)()
            live(shop, "v1.0.0")
            delivery = going_out(shop, version)
            for component in COMPONENTS:
                delivery.deploy(component)
            shop.writes.kill_at(first, after_effect=after_effect)
            try:
                delivery.go_live()
                ended = True
            except Killed:
                pass
            had = any(version in each for each in serving(shop))
            shop.writes.kill_at(second, after_effect=after_effect)
            try:
                delivery.back()
                killed = False
            except Killed:
                killed = True
            shop.writes.spare()
            delivery.back()
            assert serving(shop) == both("v1.0.0"), (first, second)
            assert stable(shop) == ["v1.0.0", "v1.0.0"], (first, second)
            for component in COMPONENTS:
                marks = shop.host("production", component).marks
                assert marks.restoring == "", (first, second)
                assert (version in marks.failed) == had, (first, second)
            shop.writes.seen.clear()
            assert not delivery.back().changed
            assert not [write for write in shop.writes.seen if not write.startswith("POST")], (first, second)
            if not killed:
                break
        if ended:
            break
    assert first > 4


# the way back -----------------------------------------------------------------------------------------------------------


def test_a_release_that_is_sick_where_users_are_is_taken_back(shop: Shop) -> None:
    live(shop, "v0.9.0")
    live(shop, "v1.0.0")
    shop.host("production", "web").sick.add("v1.1.0")
    delivery = going_out(shop, "v1.1.0")
    with pytest.raises(CheckFailed, match="the page is this release"):
        delivery.all()
    result = delivery.back()
    assert (result.release, result.was, result.changed) == ("v1.0.0", "v1.1.0", True)
    assert serving(shop) == both("v1.0.0")
    marks = shop.host("production", "web").marks
    assert (marks.failed, marks.restoring) == ({"v1.1.0": "its delivery failed"}, "")
    records = [(r.task, r.release, r.state) for r in shop.ledger().records("production")]
    assert records[0] == ("shipmate:rollback", "v1.0.0", "success")


def test_it_goes_to_the_base_of_each_component_and_not_to_one_release(shop: Shop) -> None:
    """The web was rolled back alone some time ago."""
    live(shop, "v0.9.0", "web")
    live(shop, "v1.0.0", "backend")
    shop.host("production", "backend").sick.add("v1.1.0")
    delivery = going_out(shop, "v1.1.0")
    with pytest.raises(CheckFailed):
        delivery.all()
    assert delivery.back().changed
    assert serving(shop) == [{"v1.0.0": 100}, {"v0.9.0": 100}]
    assert stable(shop) == ["v1.0.0", "v0.9.0"]


def test_the_base_is_gone_back_to_although_it_was_never_stable_or_had_failed(shop: Shop) -> None:
    """The release before it was stable; users had this one."""
    live(shop, "v0.9.0")
    live(shop, "v1.0.0")
    for component in COMPONENTS:
        host = shop.host("production", component)
        host.mark(lambda marks: type(marks)(stable=marks.stable[1:], failed={"v1.0.0": "reported by a user"}))
        host.sick.add("v1.1.0")
    delivery = going_out(shop, "v1.1.0")
    with pytest.raises(CheckFailed):
        delivery.all()
    delivery.back()
    assert serving(shop) == both("v1.0.0")


def test_what_someone_deployed_by_hand_is_a_base_too(shop: Shop) -> None:
    live(shop, "v1.0.0", "backend")
    web = shop.host("production", "web")
    web.put("by-hand", "c" * 40, "sha256:x")
    web.deployments = [type(d)(key=d.key, url=d.url, ready=True, identity=None, traffic=100) for d in web.deployments]
    web.marks = type(web.marks)()
    shop.host("production", "backend").sick.add("v1.1.0")
    delivery = going_out(shop, "v1.1.0")
    with pytest.raises(CheckFailed):
        delivery.all()
    assert delivery.back().changed
    assert [(d.identity, d.traffic) for d in web.live().serving()] == [(None, 100)]
    assert web.marks.restoring == "", "no rollback could be asked for what has no release"


def test_when_nothing_ever_had_traffic_nothing_is_done(shop: Shop) -> None:
    live(shop, "v1.0.0")
    shop.host("production", "web").dead.add("v1.1.0")
    delivery = going_out(shop, "v1.1.0")
    delivery.deploy("backend")
    with pytest.raises(CheckFailed):
        delivery.deploy("web")
    shop.writes.seen.clear()
    result = delivery.back()
    assert (result.changed, result.done, result.release) == (False, (), "v1.0.0")
    assert "v1.1.0 has no traffic: there is nothing to roll back" in shop.log.getvalue()
    assert (shop.writes.seen, serving(shop)) == ([], both("v1.0.0"))
    assert shop.host("production", "backend").marks.failed == {}


def test_a_first_release_has_nothing_to_go_back_to(shop: Shop) -> None:
    shop.host("production", "web").sick.add("v1.0.0")
    delivery = going_out(shop, "v1.0.0")
    with pytest.raises(CheckFailed):
        delivery.all()
    assert going_out(shop, "v1.0.0").digest == delivery.digest, "planned again it has none either"
    with pytest.raises(RefusedError, match=r"nothing was live before v1\.0\.0") as refused:
        delivery.back()
    assert "fix it forward" in refused.value.next_step
    assert serving(shop) == both("v1.0.0")


@pytest.mark.parametrize("where", ["go live", "back"])
def test_what_someone_else_made_live_is_left_alone(shop: Shop, where: str) -> None:
    live(shop, "v1.0.0")
    delivery = going_out(shop, "v1.1.0")
    for component in COMPONENTS:
        delivery.deploy(component)
    if where == "back":
        delivery.go_live()
    live(shop, "v9.0.0", "web")
    before = serving(shop)
    shop.writes.seen.clear()
    with pytest.raises(RefusedError, match="not where this delivery left it"):
        delivery.go_live() if where == "go live" else delivery.back()
    assert serving(shop)[1] == {"v9.0.0": 100}
    if where == "back":
        assert serving(shop) == before, "all or nothing: no component is rolled back alone"
        assert not [write for write in shop.writes.seen if write.startswith(("shift", "mark"))]


def test_a_way_back_that_was_killed_is_ended_by_the_next_delivery(shop: Shop) -> None:
    """What it left does not send a later rollback to the wrong release."""
    live(shop, "v1.0.0")
    shop.host("production", "web").sick.add("v1.1.0")
    delivery = going_out(shop, "v1.1.0")
    with pytest.raises(CheckFailed):
        delivery.all()
    shop.writes.kill_at(4, after_effect=True)
    with pytest.raises(Killed):
        delivery.back()
    shop.writes.spare()
    assert {shop.host("production", c).marks.restoring for c in COMPONENTS} == {"v1.0.0"}
    delivery.back()
    going_out(shop, "v1.2.0").all()
    assert stable(shop) == ["v1.2.0", "v1.2.0"]
    assert {shop.host("production", c).marks.restoring for c in COMPONENTS} == {""}
