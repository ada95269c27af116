"""What a release carries: commits and pull requests, asked of GitHub; and what is said when there are many, or it does not answer."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.delivery import changes
from pipelines.delivery.changes import Change, Changes
from tests.shop import REPOSITORY, Shop

pytestmark = pytest.mark.world


def merged(shop: Shop, branch: str, method: str, title: str = "feat: by a pull request") -> int:
    """A pull request that is merged into main; its number."""
    shop.commit(title, branch=branch)
    dev = shop.person("dev-1")
    made = dev.post(f"/repos/{REPOSITORY}/pulls", {"title": title, "head": branch, "base": "main"})
    answer = dev.api("PUT", f"/repos/{REPOSITORY}/pulls/{made['number']}/merge", json={"merge_method": method})
    assert answer.status_code == 200, answer.text
    return int(made["number"])


def head(shop: Shop) -> str:
    return shop.github.service.git(shop.github.service.repository(REPOSITORY)).refs["refs/heads/main"]


def found(shop: Shop, base: str | None) -> Changes:
    return changes.since(shop.client(shop.job().token), base, head(shop))


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_each_commit_names_its_pull_request_however_it_was_merged(shop: Shop, method: str) -> None:
    base = head(shop)
    number = merged(shop, "feature/one", method)
    shop.commit("fix: pushed without one")
    listed = found(shop, base).listed
    assert [change.pull_request for change in listed] == [None] + [number] * (len(listed) - 1)
    assert {f"#{number} " in change.says for change in listed[1:]} == {True}


def test_a_pull_request_that_was_fast_forwarded_is_named(shop: Shop) -> None:
    """Nothing in the title of its commit does: people push the head that was approved to main."""
    base = head(shop)
    commit = shop.commit("feat: fast", branch="feature/fast")
    dev = shop.person("dev-1")
    made = dev.post(f"/repos/{REPOSITORY}/pulls", {"title": "Fast", "head": "feature/fast", "base": "main"})
    answer = dev.api("PATCH", f"/repos/{REPOSITORY}/git/refs/heads/main", json={"sha": commit})
    assert answer.status_code == 200, answer.text
    (change,) = found(shop, base).listed
    assert (change.commit, change.pull_request) == (commit, made["number"])


def test_one_that_was_never_merged_is_not_named(shop: Shop) -> None:
    base = head(shop)
    commit = shop.commit("feat: shared")
    dev = shop.person("dev-1")
    shop.commit("feat: open", branch="feature/open")
    dev.post(f"/repos/{REPOSITORY}/pulls", {"title": "Open", "head": "feature/open", "base": "main"})
    assert [(change.commit, change.pull_request) for change in found(shop, base).listed] == [(commit, None)]


def test_a_title_that_names_its_pull_request_names_it_once() -> None:
    change = Change(commit="a" * 40, title="feat: squashed (#12)", author="dev-1", pull_request=12)
    assert change.says == "aaaaaaa #12 feat: squashed (dev-1)"
    assert Change(commit="a" * 40, title="fix: (#3)", author="x").says == "aaaaaaa fix: (#3) (x)"


def test_nothing_changed() -> None:
    assert Changes().lines() == ["none"]


@pytest.mark.parametrize("by", ["comparison", "history"])
def test_what_is_cut_is_counted(shop: Shop, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    monkeypatch.setattr(changes, "LISTED", 3)
    monkeypatch.setattr(changes, "_PAGE", 2)
    base = head(shop)
    for number in range(5):
        shop.commit(f"feat: {number}")
    many = found(shop, base if by == "comparison" else None)
    assert [change.title for change in many.listed] == ["feat: 4", "feat: 3", "feat: 2"]
    assert many.lines()[3:] == (["… and 2 more"] if by == "comparison" else ["… and more"])
    assert many.count == ("5" if by == "comparison" else "3 and more")


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 403, "times": None}, {"kind": "cut", "times": None}])
def test_a_look_up_that_fails_is_said_and_fails_nothing(shop: Shop, fault: dict[str, Any]) -> None:
    base = head(shop)
    commit = shop.commit("feat: something")
    shop.fault(path="/commits/[0-9a-f]+/pulls", **fault)
    carried = found(shop, base)
    assert [(change.commit, change.pull_request) for change in carried.listed] == [(commit, None)]
    assert carried.lines()[-1].startswith("pull requests are not all named: ")
