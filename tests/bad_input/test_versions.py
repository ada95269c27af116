"""A version that cannot be released: unknown, off the line, moved, red, renamed, lower, or released already."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.bad_input.conftest import Desk, Ended
from tests.shop import REPOSITORY, Shop

pytestmark = pytest.mark.world


def refused(ended: Ended, code: int, *words: str) -> None:
    """The code, the words in annotation and summary, a next step, and nothing to go on with."""
    assert ended.code == code, ended.log
    (error,) = ended.commands("error")
    for word in (*words, "next: "):
        assert word in error
        assert word in ended.summary
    assert ended.outputs == {}


@pytest.mark.parametrize("version", ["v9.9.9", "v1.0.0-rc.1"])
def test_unknown_version(desk: Desk, version: str) -> None:
    desk.shop.proved("v1.0.0")
    refused(desk.plan(version), 4, f"there is no tag '{version}'", "newest tags: v1.0.0", f"git push origin {version}")
    desk.nothing_was_written()


@pytest.mark.parametrize(
    "version",
    [
        "latest",
        "main",
        "1.0.0",
        "v1.0",
        "v1.0.0/../../heads/main",
        "../heads/main",
        "$(touch x)",
        "v1 --help",
        "v1.0.0\nx",
    ],
)
def test_what_is_no_version_at_all(desk: Desk, version: str) -> None:
    """Among them words that would lead somewhere else in an address."""
    desk.shop.proved("v1.0.0")
    refused(desk.plan(version), 4, "is not a version", "use a tag like v1.2.3")
    desk.nothing_was_written()


def test_a_tag_neither_on_main_nor_on_its_maintenance_line(desk: Desk) -> None:
    desk.shop.proved("v1.0.0", branch="feature/fast")
    refused(desk.plan("v1.0.0"), 21, "is on none of main, release/1.0.x", "merge it")
    desk.nothing_was_written()


def test_a_tag_on_the_maintenance_line_of_another_version(desk: Desk) -> None:
    desk.shop.proved("v2.0.0", branch="release/1.0.x")
    refused(desk.plan("v2.0.0"), 21, "is on none of main, release/2.0.x")


def unruled(shop: Shop) -> None:
    """Tags can be moved and deleted, as by those who may go around the rules."""
    rulesets = shop.github.instance.repository(REPOSITORY).rulesets
    for number in [number for number, each in rulesets.items() if each.target == "tag"]:
        del rulesets[number]


def move(shop: Shop, tag: str) -> str:
    unruled(shop)
    commit = shop.commit("feat: something else")
    path = f"/repos/{REPOSITORY}/git/refs/tags/{tag}"
    answer = shop.person("release-manager").api("PATCH", path, json={"sha": commit, "force": True})
    assert answer.status_code == 200, answer.text
    shop.do(shop.github.seed.protect_tags, REPOSITORY, ("v*",))
    return commit


def test_a_tag_that_moved_before_the_approval(desk: Desk) -> None:
    commit = desk.shop.proved("v1.0.0")
    run = desk.shop.start()
    planned = desk.plan("v1.0.0", run)
    moved = move(desk.shop, "v1.0.0")
    ended = desk.step(
        "approval_gate",
        run,
        environment="production",
        plan=planned.outputs["plan"],
        token=desk.shop.job(run).token,
    )
    assert ended.outputs.pop("plan", "") in ("", planned.outputs["plan"])
    refused(ended, 6, f"the tag v1.0.0 was moved from {commit[:7]} to {moved[:7]}", "never move a published tag")


def publishing(desk: Desk, commit: str, act: Callable[[], Any]) -> Ended:
    """The job that publishes, when something happens after the plan was approved."""
    run = desk.shop.start()
    planned = desk.plan("v1.0.0", run)
    assert planned.outputs["commit"] == commit
    desk.source(commit)
    act()
    plan = planned.outputs["plan"]
    return desk.step("publish_release", run, environment="production", plan=plan, token=desk.shop.job(run).token)


def test_a_tag_that_moved_before_it_is_published(desk: Desk) -> None:
    commit = desk.shop.proved("v1.0.0")
    ended = publishing(desk, commit, lambda: move(desk.shop, "v1.0.0"))
    refused(ended, 26, f"not on {commit[:9]}, which users have", "git push --force origin")
    assert desk.shop.person("dev-1").get(f"/repos/{REPOSITORY}/releases") == []


def test_a_tag_that_was_deleted_before_it_is_published(desk: Desk) -> None:
    commit = desk.shop.proved("v1.0.0")
    manager = desk.shop.person("release-manager")

    def delete() -> None:
        unruled(desk.shop)
        answer = manager.api("DELETE", f"/repos/{REPOSITORY}/git/refs/tags/v1.0.0")
        assert answer.status_code == 204, answer.text

    refused(
        publishing(desk, commit, delete), 29, "the tag v1.0.0 is gone", f"git push origin {commit}:refs/tags/v1.0.0"
    )


def deploying(desk: Desk, change: Callable[[dict[str, Any]], None], *, source: str = "") -> tuple[Ended, str]:
    """The deploying job, when its plan says something else than what was approved; and the digest that was approved."""
    commit = desk.shop.proved("v1.0.0")
    run = desk.shop.start()
    approved = desk.plan("v1.0.0", run).outputs["plan"]
    desk.source(source or commit)
    file = desk.shop.checkout / "build/delivery/plan.json"
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    ended = desk.step(
        "deploy_component",
        run,
        environment="production",
        component="backend",
        plan=approved,
        token=desk.shop.job(run).token,
    )
    return ended, approved


def test_a_digest_that_is_not_the_staged_one(desk: Desk) -> None:
    """The deploying job finds another image in the document than the one that was approved."""
    other = desk.shop.artifacts("another build")["backend"]
    ended, approved = deploying(desk, lambda document: document["components"][0].update(artifact=other))
    refused(ended, 6, "the plan is not the one that was approved", approved[:12], "start the workflow again")
    assert all(host.deployments == [] for host in desk.shop.sites.hosts.values())


def test_another_commit_than_the_one_that_was_planned(desk: Desk) -> None:
    other = desk.shop.commit("feat: not planned")
    ended, _ = deploying(desk, lambda document: None, source=other)
    refused(ended, 6, f"{other[:7]} is checked out, not ")
    assert all(host.deployments == [] for host in desk.shop.sites.hosts.values())


def test_a_job_without_a_plan(desk: Desk) -> None:
    commit = desk.shop.proved("v1.0.0")
    desk.source(commit)
    ended = desk.step(
        "deploy_component", environment="production", component="backend", plan="0" * 64, token=desk.shop.job().token
    )
    refused(ended, 4, "there is no plan", "the plan job did not run in this run")


def test_a_commit_that_was_never_staged(desk: Desk) -> None:
    commit = desk.shop.commit()
    desk.shop.check(commit)
    desk.shop.tag("v1.0.0", commit)
    refused(desk.plan("v1.0.0"), 6, "was not proved on staging", "no run of the staging workflow on main")


def test_a_commit_whose_staging_failed(desk: Desk) -> None:
    commit = desk.shop.commit()
    desk.shop.check(commit)
    desk.shop.end(desk.shop.prove(commit), "failure")
    desk.shop.tag("v1.0.0", commit)
    refused(desk.plan("v1.0.0"), 6, "was not proved on staging", "ended as failure")


@pytest.mark.parametrize(
    ("conclusion", "message"),
    [
        ("failure", "'ci' is failure on"),
        ("cancelled", "'ci' is cancelled on"),
        ("skipped", "'ci' is skipped on"),
        ("neutral", "'ci' is neutral on"),
        (None, "'ci' is still running on"),
        ("none", "there is no check 'ci' on"),
    ],
)
def test_red_ci(desk: Desk, conclusion: str | None, message: str) -> None:
    commit = desk.shop.commit()
    if conclusion != "none":
        desk.shop.check(commit, conclusion)
    desk.shop.end(desk.shop.prove(commit), "success")
    desk.shop.tag("v1.0.0", commit)
    refused(desk.plan("v1.0.0"), 22, f"{message} {commit[:9]}")
    desk.nothing_was_written()


def test_a_check_that_someone_else_wrote_is_no_ci(desk: Desk) -> None:
    commit = desk.shop.commit()
    desk.shop.forged_check(commit)
    desk.shop.end(desk.shop.prove(commit), "success")
    desk.shop.tag("v1.0.0", commit)
    refused(desk.plan("v1.0.0"), 22, "there is no check 'ci' on")


def test_a_version_already_released_with_another_digest(desk: Desk) -> None:
    """The tag was moved to another commit after its release; that commit is green and staged, too."""
    desk.shop.released("v1.0.0")
    commit = move(desk.shop, "v1.0.0")
    desk.shop.check(commit)
    desk.shop.end(desk.shop.prove(commit), "success")
    refused(desk.plan("v1.0.0"), 6, "v1.0.0 is live with another digest", "make a new version")


def test_a_lower_version(desk: Desk) -> None:
    desk.shop.proved("v1.0.1")
    desk.shop.released("v1.1.0")
    refused(desk.plan("v1.0.1"), 6, "v1.0.1 is lower than v1.1.0, which is live", "shipmate rollback --to v1.0.1")
    assert desk.shop.ledger().records("production") == []


def test_a_pre_release_is_lower_than_its_version(desk: Desk) -> None:
    desk.shop.proved("v1.1.0-rc.1")
    desk.shop.released("v1.1.0")
    refused(desk.plan("v1.1.0-rc.1"), 6, "is lower than v1.1.0")


def test_the_same_again_is_done_already(desk: Desk) -> None:
    commit = desk.shop.released("v1.0.0")
    desk.shop.person("release-manager").post(f"/repos/{REPOSITORY}/releases", {"tag_name": "v1.0.0", "name": "v1.0.0"})
    ended = desk.plan("v1.0.0")
    assert (ended.code, ended.outputs["state"], ended.outputs["commit"]) == (0, "done already", commit)
    assert "Released already: nothing to do" in ended.summary
    assert desk.shop.ledger().records("production") == []


def test_all_is_well_otherwise(desk: Desk) -> None:
    """None of the above refuses what is right."""
    commit = desk.shop.proved("v1.0.0")
    ended = desk.plan("v1.0.0")
    assert (ended.code, ended.outputs["state"], ended.outputs["commit"]) == (0, "to do", commit)
    assert ended.commands("error") == []
