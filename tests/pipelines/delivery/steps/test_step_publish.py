"""Publishing what users have: not what was rolled back meanwhile, and not without its tag; whatever else came between is only said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.delivery import planning
from pipelines.delivery.rollback import Request, roll_back
from pipelines.delivery.steps.publish import FOLDER, Publish, prepare
from pipelines.errors import ProviderUnavailable, RefusedError
from rehearsal.github.releases.state import Release
from release.refusals import TagGone, Withdrawn
from tests.pipelines.delivery.jobs import Delivery, planned
from tests.shop import COMPONENTS, REPOSITORY, Shop

pytestmark = pytest.mark.world


def live(shop: Shop, version: str) -> Delivery:
    """A release that its jobs made live; publishing it is what is left."""
    commit = shop.proved(version)
    delivery = planned(shop, version, shop.artifacts(commit[:12]), commit=commit)
    delivery.all()
    return delivery


def publish(delivery: Delivery, *, prepared: bool = False) -> str:
    """The job of a run that publishes."""
    context, made = delivery.job()
    context.work = delivery.shop.folder / f"work-{context.delivered.name}"
    if prepared:
        assert prepare(context) == context.work / FOLDER
    (step,) = made.of_job("release")
    assert isinstance(step, Publish)
    return step.run(context)


def releases(shop: Shop) -> dict[str, Release]:
    found = shop.github.instance.repository(REPOSITORY).releases.values()
    return {release.tag_name: release for release in found if not release.draft}


def latest(shop: Shop) -> Any:
    return shop.person("dev-1").get(f"/repos/{REPOSITORY}/releases/latest")["tag_name"]


def delete_tag(shop: Shop, tag: str) -> None:
    """As an administrator does, whom the ruleset lets pass."""
    git = shop.github.instance.git(shop.github.instance.repository(REPOSITORY))
    shop.run(git.update_ref(f"refs/tags/{tag}", "0" * 40, git.refs[f"refs/tags/{tag}"]))


@pytest.mark.parametrize("prepared", [True, False])
def test_a_newer_tag_that_came_out_meanwhile_stops_nothing(shop: Shop, prepared: bool) -> None:
    """v1.1.0 was tagged, planned and approved while v1.0.0 went out; then it went out as well."""
    first = live(shop, "v1.0.0")
    second = live(shop, "v1.1.0")
    assert publish(second).endswith("/releases/tag/v1.1.0")
    assert publish(first, prepared=prepared).endswith("/releases/tag/v1.0.0")
    assert "1.0.0 is not higher than v1.1.0; users have it already" in shop.log.getvalue()
    assert set(releases(shop)) == {"v1.0.0", "v1.1.0"}
    assert latest(shop) == "v1.1.0"
    assert publish(first).endswith("is out already")


def test_a_mere_tag_is_not_even_reported(shop: Shop) -> None:
    delivery = live(shop, "v1.0.0")
    shop.proved("v1.1.0")
    publish(delivery)
    assert "warning" not in shop.log.getvalue()
    assert latest(shop) == "v1.0.0"


def test_what_was_taken_back_meanwhile_is_not_offered_to_anybody(shop: Shop) -> None:
    live(shop, "v1.0.0")
    delivery = live(shop, "v1.1.0")
    assert roll_back(shop.context("production"), Request()).release == "v1.0.0"
    with pytest.raises(RefusedError, match=r"v1\.1\.0 was rolled back: rolled back to v1\.0\.0"):
        publish(delivery)
    assert releases(shop) == {}


def test_what_was_withdrawn_meanwhile_by_someone_without_github(shop: Shop) -> None:
    delivery = live(shop, "v1.0.0")
    host = shop.host("production", "web")
    host.mark(lambda marks: replace(marks, withdrawn={"v1.0.0": "it loses data"}))
    with pytest.raises(Withdrawn, match="it loses data"):
        publish(delivery)
    assert releases(shop) == {}


def test_hosts_that_cannot_be_asked_stop_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = live(shop, "v1.0.0")

    def down() -> None:
        raise ProviderUnavailable("still failing after 5 tries (HTTP 503)")

    for component in COMPONENTS:
        monkeypatch.setattr(shop.host("production", component), "live", down)
    publish(delivery)
    assert set(releases(shop)) == {"v1.0.0"}
    assert shop.log.getvalue().count("could not be asked whether v1.0.0 was rolled back meanwhile") == len(COMPONENTS)


@pytest.mark.parametrize("prepared", [True, False], ids=["before its files are prepared", "after"])
def test_a_deleted_tag_is_asked_for_and_not_made_again(shop: Shop, prepared: bool) -> None:
    delivery = live(shop, "v1.0.0")
    commit = delivery.job()[0].delivered.commit
    delete_tag(shop, "v1.0.0")
    with pytest.raises(TagGone) as caught:
        publish(delivery, prepared=prepared)
    assert f"git push origin {commit}:refs/tags/v1.0.0" in caught.value.next_step
    git = shop.github.instance.git(shop.github.instance.repository(REPOSITORY))
    assert ("refs/tags/v1.0.0" in git.refs, releases(shop)) == (False, {})
    shop.tag("v1.0.0", commit)
    publish(delivery, prepared=prepared)
    assert set(releases(shop)) == {"v1.0.0"}


def test_a_github_release_deleted_by_hand_is_made_again_after_a_newer_one(shop: Shop) -> None:
    """By the run that made it live, with `Re-run`."""
    first = live(shop, "v1.0.0")
    publish(first)
    publish(live(shop, "v1.1.0"))
    delete_release(shop, "v1.0.0")
    publish(first)
    assert set(releases(shop)) == {"v1.0.0", "v1.1.0"}
    assert latest(shop) == "v1.1.0"


def test_it_is_made_again_by_a_new_dispatch_while_it_is_live(shop: Shop) -> None:
    """v1.1.0 was published and rolled back: its release stands, and v1.0.0 is live without one."""
    first = live(shop, "v1.0.0")
    publish(first)
    publish(live(shop, "v1.1.0"))
    roll_back(shop.context("production"), Request())
    delete_release(shop, "v1.0.0")
    found = planning.plan_release(shop.context("production"), "v1.0.0")
    assert not found.done_already
    assert (
        "higher: 1.0.0 is not higher than v1.1.0; users have it already, so this is only reported" in found.publishing
    )
    run = shop.start()
    again = Delivery(shop=shop, run=run, document=found.plan.document, digest=found.plan.digest)
    shop.writes.seen.clear()
    again.all()
    assert not [write for write in shop.writes.seen if write.startswith(("stage", "shift"))], "users have it"
    publish(again)
    assert set(releases(shop)) == {"v1.0.0", "v1.1.0"}
    assert latest(shop) == "v1.1.0"


def delete_release(shop: Shop, tag: str) -> None:
    number = releases(shop)[tag].id
    assert shop.person("dev-1").api("DELETE", f"/repos/{REPOSITORY}/releases/{number}").status_code == 204
