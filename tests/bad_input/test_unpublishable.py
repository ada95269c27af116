"""A release that could not be published at the end is refused by the plan job, before anything is deployed."""

from __future__ import annotations

import subprocess
import time

import pytest

from release.publishing.github_forge import GitHubForge
from release.publishing.lease import Holder
from release.publishing.state import WITHDRAWN
from tests.bad_input.conftest import Desk
from tests.bad_input.test_versions import refused
from tests.shop import REPOSITORY, Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

VERSION_FILE = "release: {components: {platform: {version_files: [VERSION]}}}\n"


def out(shop: Shop, tag: str, body: str = "", *, draft: bool = False) -> None:
    """A release of this tag on GitHub."""
    shop.person("release-manager").post(
        f"/repos/{REPOSITORY}/releases", {"tag_name": tag, "name": tag, "body": body, "draft": draft}
    )


def trees(shop: Shop) -> list[str]:
    """Working trees of the checkout beside its own."""
    asked = ["git", "worktree", "list", "--porcelain"]
    listed = subprocess.run(asked, cwd=shop.checkout, capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.startswith("worktree ")][1:]


def forget(shop: Shop) -> None:
    """The checkout has v1.0.0 and what it stands on, as a shallow one has."""
    git = shop.checkout / ".git"
    for command in (
        ("reset", "-q", "--hard", "v1.0.0"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
        ("reflog", "expire", "--expire=now", "--all"),
    ):
        shop.person("dev-1").git(*command, cwd=shop.checkout)
    for name in ("ORIG_HEAD", "FETCH_HEAD"):
        (git / name).unlink(missing_ok=True)
    for name in shop.person("dev-1").git("tag", "--list", "v1.1.0", cwd=shop.checkout).split():
        shop.person("dev-1").git("tag", "-d", name, cwd=shop.checkout)
    shop.person("dev-1").git("gc", "-q", "--prune=now", cwd=shop.checkout)


def test_one_that_was_withdrawn(desk: Desk) -> None:
    desk.shop.proved("v1.0.0")
    out(desk.shop, "v1.0.0", f"{WITHDRAWN}\n> use another")
    refused(desk.plan("v1.0.0"), 28, "v1.0.0 was withdrawn", "release the next version")
    desk.nothing_was_written()
    assert trees(desk.shop) == []


def test_one_whose_version_files_say_another(desk: Desk) -> None:
    desk.shop.proved("v1.0.0", files={"shipmate.yml": MANIFEST + VERSION_FILE, "VERSION": "0.9.0\n"})
    refused(desk.plan("v1.0.0"), 20, "VERSION holds 0.9.0", "shipmate release bump 1.0.0")
    desk.nothing_was_written()


def test_the_rules_are_those_of_the_releases_own_commit(desk: Desk) -> None:
    """What main asks of its releases by now does not stop an earlier one."""
    desk.shop.proved("v1.0.0")
    desk.shop.commit("feat: more rules", files={"shipmate.yml": MANIFEST + VERSION_FILE, "VERSION": "2.0.0\n"})
    desk.shop.person("dev-1").git("pull", "-q", cwd=desk.shop.checkout)
    ended = desk.plan("v1.0.0")
    assert (ended.code, ended.outputs["state"]) == (0, "to do"), ended.log


def test_one_that_is_not_higher_than_a_published_release(desk: Desk) -> None:
    desk.shop.proved("v1.1.0")
    out(desk.shop, "v1.1.0", "published by hand")
    desk.shop.proved("v1.0.1")
    refused(desk.plan("v1.0.1"), 23, "1.0.1 is not higher than v1.1.0", "shipmate release next")
    desk.nothing_was_written()


def test_a_higher_tag_that_never_went_out_stops_nothing(desk: Desk) -> None:
    desk.shop.proved("v1.1.0")
    desk.shop.proved("v1.0.1")
    ended = desk.plan("v1.0.1")
    assert (ended.code, ended.outputs["state"]) == (0, "to do"), ended.log
    assert "higher: the first of its line" in ended.log


def test_one_that_another_run_is_publishing(desk: Desk) -> None:
    shop = desk.shop
    commit = shop.proved("v1.0.0")
    other = shop.start()
    who = Holder(nonce="x", after="", at=time.time(), run=str(other.id), attempt="1", machine="elsewhere", process="")
    assert GitHubForge(shop.client(shop.job(other).token)).take_lock("v1.0.0", 1, commit, who.as_mapping())
    refused(desk.plan("v1.0.0"), 24, f"v1.0.0 is being published by run {other.id}", "wait for it")
    desk.nothing_was_written()


def test_a_draft_is_not_shown_to_this_job_which_says_so(desk: Desk) -> None:
    desk.shop.proved("v1.0.0")
    out(desk.shop, "v1.0.0", "someone's", draft=True)
    ended = desk.plan("v1.0.0")
    assert (ended.code, ended.outputs["state"]) == (0, "to do"), ended.log
    assert "drafts of others: GitHub shows them only to tokens that may write contents" in ended.log


def test_a_checkout_without_the_releases_commit(desk: Desk) -> None:
    desk.shop.proved("v1.0.0")
    run = desk.shop.start()
    token = desk.shop.job(run).token
    commit = desk.shop.proved("v1.1.0")
    forget(desk.shop)
    ended = desk.step("plan_release", run, environment="production", version="v1.1.0", token=token)
    refused(ended, 4, f"{commit[:7]} cannot be looked at", "fetch-depth: 0")


def test_all_is_well_otherwise(desk: Desk) -> None:
    """Nothing is left in the checkout, and each gate is reported."""
    desk.shop.proved("v1.0.0")
    ended = desk.plan("v1.0.0")
    assert (ended.code, ended.outputs["state"]) == (0, "to do"), ended.log
    assert "higher: the first of its line" in ended.log
    assert trees(desk.shop) == []
