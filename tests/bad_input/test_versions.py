"""A version that cannot be released: unknown, off the line, moved, red, renamed, lower, or released already."""

from __future__ import annotations

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
    refused(desk.plan("v1.0.0"), 6, "is neither on main nor on its maintenance line", "merge it to main")
    desk.nothing_was_written()


def test_a_tag_on_the_maintenance_line_of_another_version(desk: Desk) -> None:
    desk.shop.proved("v2.0.0", branch="release/1.0.x")
    refused(desk.plan("v2.0.0"), 6, "is neither on main nor on its maintenance line")


def move(shop: Shop, tag: str) -> str:
    commit = shop.commit("feat: something else")
    path = f"/repos/{REPOSITORY}/git/refs/tags/{tag}"
    answer = shop.person("release-manager").api("PATCH", path, json={"sha": commit, "force": True})
    assert answer.status_code == 200, answer.text
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
        version="v1.0.0",
        commit=commit,
        digest=planned.outputs["digest"],
        token=desk.shop.job(run).token,
    )
    refused(ended, 6, f"the tag v1.0.0 was moved from {commit[:7]} to {moved[:7]}", "never move a published tag")


def test_a_tag_that_moved_before_it_is_published(desk: Desk) -> None:
    commit = desk.shop.proved("v1.0.0")
    moved = move(desk.shop, "v1.0.0")
    ended = desk.step("publish_release", version="v1.0.0", commit=commit, token=desk.shop.job().token)
    refused(ended, 6, f"was moved from {commit[:7]} to {moved[:7]}")
    assert desk.shop.person("dev-1").get(f"/repos/{REPOSITORY}/releases") == []


def test_a_tag_that_was_deleted_before_it_is_published(desk: Desk) -> None:
    commit = desk.shop.proved("v1.0.0")
    desk.shop.person("release-manager").api("DELETE", f"/repos/{REPOSITORY}/git/refs/tags/v1.0.0")
    ended = desk.step("publish_release", version="v1.0.0", commit=commit, token=desk.shop.job().token)
    refused(ended, 4, "there is no tag 'v1.0.0'")


def test_a_digest_that_is_not_the_staged_one(desk: Desk) -> None:
    """The deploying job is given another image than the plan's."""
    commit = desk.shop.proved("v1.0.0")
    run = desk.shop.start()
    planned = desk.plan("v1.0.0", run)
    other = desk.shop.artifacts("another build")
    ended = desk.step(
        "deploy_backend",
        run,
        environment="production",
        version="v1.0.0",
        digest=planned.outputs["digest"],
        backend=other["backend"],
        web=planned.outputs["web"],
        token=desk.shop.job(run).token,
    )
    assert commit == planned.outputs["commit"]
    refused(ended, 6, "backend of v1.0.0 is not what staging proved", "pass on what the plan job put out")


def test_an_image_that_the_registry_does_not_hold(desk: Desk) -> None:
    reference = desk.shop.artifacts("v1")["web"].rpartition("@")[0] + "@sha256:" + "0" * 64
    ended = desk.step("build_image", environment="production", component="web", expect=reference)
    refused(ended, 4, "there is no")


def test_a_commit_that_was_never_staged(desk: Desk) -> None:
    commit = desk.shop.commit()
    desk.shop.check(commit)
    desk.shop.tag("v1.0.0", commit)
    refused(desk.plan("v1.0.0"), 6, "was not verified on staging", "this commit never went to staging")


def test_a_commit_whose_staging_failed(desk: Desk) -> None:
    commit = desk.shop.commit()
    desk.shop.check(commit)
    desk.shop.note("staging", "sha-1", commit, "failure")
    desk.shop.tag("v1.0.0", commit)
    refused(desk.plan("v1.0.0"), 6, "was not verified on staging", "its staging deployment failed")


@pytest.mark.parametrize(
    ("conclusion", "said"),
    [
        ("failure", "failure"),
        ("cancelled", "cancelled"),
        ("skipped", "skipped"),
        ("neutral", "neutral"),
        (None, "is still in_progress"),
        ("none", "did not run"),
    ],
)
def test_red_ci(desk: Desk, conclusion: str | None, said: str) -> None:
    commit = desk.shop.commit()
    if conclusion != "none":
        desk.shop.check(commit, conclusion)
    desk.shop.note("staging", "sha-1", commit)
    desk.shop.tag("v1.0.0", commit)
    refused(desk.plan("v1.0.0"), 6, f"the check ci of v1.0.0 ({commit[:7]}) {said}", "mend it on main")
    desk.nothing_was_written()


def test_another_check_of_that_commit_is_no_ci(desk: Desk) -> None:
    commit = desk.shop.commit()
    desk.shop.check(commit, name="lint")
    desk.shop.note("staging", "sha-1", commit)
    desk.shop.tag("v1.0.0", commit)
    refused(desk.plan("v1.0.0"), 6, "did not run")


def test_a_version_already_released_with_another_digest(desk: Desk) -> None:
    """The tag was moved to another commit after its release; that commit is green and staged, too."""
    desk.shop.released("v1.0.0")
    commit = move(desk.shop, "v1.0.0")
    desk.shop.check(commit)
    desk.shop.note("staging", f"sha-{commit[:7]}", commit)
    refused(desk.plan("v1.0.0"), 6, "v1.0.0 was released already with other digests", "make a new version")


def test_a_lower_version(desk: Desk) -> None:
    desk.shop.proved("v1.0.1")
    desk.shop.released("v1.1.0")
    refused(desk.plan("v1.0.1"), 6, "v1.0.1 is lower than v1.1.0, which is live", "shipmate rollback --to v1.0.1")
    assert [record.release for record in desk.shop.ledger().records("production")] == ["v1.1.0"]


def test_a_pre_release_is_lower_than_its_version(desk: Desk) -> None:
    desk.shop.proved("v1.1.0-rc.1")
    desk.shop.released("v1.1.0")
    refused(desk.plan("v1.1.0-rc.1"), 6, "is lower than v1.1.0")


def test_the_same_again_is_done_already(desk: Desk) -> None:
    commit = desk.shop.released("v1.0.0")
    ended = desk.plan("v1.0.0")
    assert (ended.code, ended.outputs["state"], ended.outputs["commit"]) == (0, "done already", commit)
    assert "Released already: nothing to do" in ended.summary
    assert len(desk.shop.ledger().records("production")) == 1


def test_all_is_well_otherwise(desk: Desk) -> None:
    """None of the above refuses what is right."""
    commit = desk.shop.proved("v1.0.0")
    ended = desk.plan("v1.0.0")
    assert (ended.code, ended.outputs["state"], ended.outputs["commit"]) == (0, "to do", commit)
    assert ended.commands("error") == []
