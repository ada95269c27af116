"""What a release carries: commits and pull requests, asked of GitHub; and what is said when there are many, or it does not answer."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.delivery import changes
from pipelines.delivery.changes import Change, Changes
from tests.shop import REPOSITORY, Shop

pytestmark = pytest.mark.world


def opened(shop: Shop, branch: str, *, by: str = "dev-1", base: str = "main") -> int:
    """A pull request of a branch; its number."""
    made = shop.person(by).post(
        f"/repos/{REPOSITORY}/pulls", {"title": "feat: by a pull request", "head": branch, "base": base}
    )
    return int(made["number"])


def reviewed(shop: Shop, number: int, login: str = "release-manager", event: str = "APPROVE") -> None:
    body = {"event": event, "body": "seen"}
    shop.person(login).post(f"/repos/{REPOSITORY}/pulls/{number}/reviews", body, status=200)


def unprotected(shop: Shop) -> None:
    """Main takes what people push, as before it had rules, or by those who may go around them."""
    shop.github.instance.repository(REPOSITORY).rulesets.clear()


def merge(shop: Shop, number: int, method: str = "merge", by: str = "dev-1") -> None:
    """Once its checks are green."""
    for run in list(shop.runner.runs.values()):
        if run.status != "completed":
            shop.end(run, "success")
    answer = shop.person(by).api("PUT", f"/repos/{REPOSITORY}/pulls/{number}/merge", json={"merge_method": method})
    assert answer.status_code == 200, answer.text


def merged(shop: Shop, branch: str, method: str, title: str = "feat: by a pull request") -> int:
    """A pull request that is approved and merged into main; its number."""
    shop.commit(title, branch=branch)
    number = opened(shop, branch)
    reviewed(shop, number)
    merge(shop, number, method)
    return number


def head(shop: Shop) -> str:
    return shop.head("main")


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
    unprotected(shop)
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
    assert many.lines()[3:] == (["… and 2 more"] if by == "comparison" else ["… and 3 more"])
    assert many.count == ("5" if by == "comparison" else "6")


def test_of_a_history_without_end_nobody_counts_the_rest(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LOOKED_AT", 3)
    for number in range(5):
        shop.commit(f"feat: {number}")
    many = found(shop, None)
    assert [change.title for change in many.listed] == ["feat: 4", "feat: 3", "feat: 2"]
    assert (many.lines()[3:], many.count) == (["… and more"], "3 and more")
    assert many.unreviewed[-1].authors == ("",)


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 403, "times": None}, {"kind": "cut", "times": None}])
def test_a_look_up_that_fails_is_reported_and_fails_nothing(shop: Shop, fault: dict[str, Any]) -> None:
    base = head(shop)
    commit = shop.commit("feat: something")
    shop.fault(path="/commits/[0-9a-f]+/pulls", **fault)
    carried = found(shop, base)
    assert [(change.commit, change.pull_request) for change in carried.listed] == [(commit, None)]
    assert carried.lines()[-1].startswith("pull requests are not all named: ")


# whose eyes have seen it ------------------------------------------------------------------------------------------------


def unseen(shop: Shop, base: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.title, each.authors) for each in found(shop, base).unreviewed]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_pull_request_that_someone_else_approved_covers_its_commits(shop: Shop, method: str) -> None:
    base = head(shop)
    merged(shop, "feature/one", method)
    assert unseen(shop, base) == []


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_without_an_approval_all_of_it_is_listed(shop: Shop, method: str) -> None:
    base = head(shop)
    unprotected(shop)
    shop.commit("feat: unseen", branch="feature/one")
    merge(shop, opened(shop, "feature/one"), method)
    listed = found(shop, base)
    assert [each.commit for each in listed.unreviewed] == [each.commit for each in listed.listed]
    assert all("dev-2" in authors or "dev-1" in authors for _, authors in unseen(shop, base))


def test_a_commit_without_a_pull_request_is_listed(shop: Shop) -> None:
    base = head(shop)
    shop.commit("fix: pushed", author="dev-1")
    assert unseen(shop, base) == [("fix: pushed", ("dev-1",))]


@pytest.mark.parametrize(
    ("reviews", "covered"),
    [
        ([("dev-2", "APPROVE")], False),
        ([("release-manager", "APPROVE")], True),
        ([("release-manager", "COMMENT")], False),
        ([("release-manager", "APPROVE"), ("release-manager", "REQUEST_CHANGES")], False),
        ([("release-manager", "APPROVE"), ("release-manager", "COMMENT")], True),
        ([("release-manager", "REQUEST_CHANGES"), ("release-manager", "APPROVE")], True),
        ([("stranger", "APPROVE")], False),
        ([("stranger", "APPROVE"), ("on-call", "APPROVE")], True),
    ],
)
def test_only_an_approval_of_someone_else_who_may_write_covers(
    shop: Shop, reviews: list[tuple[str, str]], covered: bool
) -> None:
    """dev-2 wrote it, dev-1 opened and merges it; anyone who can read can write a review."""
    base = head(shop)
    unprotected(shop)
    shop.commit("feat: more", branch="feature/one", author="dev-2")
    number = opened(shop, "feature/one")
    for login, event in reviews:
        reviewed(shop, number, login, event)
    merge(shop, number, "rebase")
    assert unseen(shop, base) == ([] if covered else [("feat: more", ("dev-2",))])


def test_an_approval_that_was_dismissed_covers_nothing(shop: Shop) -> None:
    base = head(shop)
    unprotected(shop)
    shop.commit("feat: more", branch="feature/one")
    number = opened(shop, "feature/one")
    reviewed(shop, number)
    path = f"/repos/{REPOSITORY}/pulls/{number}/reviews"
    review = shop.person("dev-1").get(path)[0]["id"]
    answer = shop.person("dev-1").api("PUT", f"{path}/{review}/dismissals", json={"message": "not any more"})
    assert answer.status_code == 200, answer.text
    merge(shop, number, "rebase")
    assert unseen(shop, base) == [("feat: more", ("dev-2",))]


def test_a_pull_request_that_is_still_open_covers_nothing(shop: Shop) -> None:
    base = head(shop)
    unprotected(shop)
    commit = shop.commit("feat: more", branch="feature/one")
    reviewed(shop, opened(shop, "feature/one"))
    shop.commit("feat: elsewhere", branch="feature/two")
    assert unseen(shop, base) == []
    listed = changes.since(shop.client(shop.job().token), base, commit)
    assert [each.commit for each in listed.unreviewed] == [commit]


def test_a_co_author_who_approved_is_not_someone_else(shop: Shop) -> None:
    base = head(shop)
    unprotected(shop)
    shop.commit(
        "feat: two\n\nCo-authored-by: RM <1+release-manager@users.noreply.github.com>",
        branch="feature/one",
        author="dev-2",
    )
    number = opened(shop, "feature/one")
    reviewed(shop, number)
    merge(shop, number, "rebase")
    assert unseen(shop, base) == [("feat: two", ("dev-2", "release-manager"))]


def test_where_reviews_cannot_be_asked_nobody_is_taken_to_have_seen_it(shop: Shop) -> None:
    base = head(shop)
    merged(shop, "feature/one", "squash")
    shop.fault(kind="status", status=403, times=None, path="/pulls/[0-9]+/reviews")
    assert len(unseen(shop, base)) == 1


def test_commits_that_were_not_looked_at_are_of_unknown_people(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LOOKED_AT", 2)
    base = head(shop)
    for number in range(4):
        shop.commit(f"feat: {number}")
    assert unseen(shop, base)[-1] == ("2 earlier commits, not looked at", ("",))
    assert len(unseen(shop, base)) == 3


def test_who_merges_with_githubs_button_wrote_nothing(shop: Shop) -> None:
    """The merge commit carries the name of the person who pressed it, who most of the time is the reviewer."""
    base = head(shop)
    shop.commit("feat: more", branch="feature/one")
    number = opened(shop, "feature/one")
    reviewed(shop, number)
    merge(shop, number, "merge", by="release-manager")
    assert unseen(shop, base) == []


def test_the_one_who_merged_without_an_approval_is_named(shop: Shop) -> None:
    base = head(shop)
    unprotected(shop)
    shop.commit("feat: more", branch="feature/one")
    merge(shop, opened(shop, "feature/one"), "merge", by="release-manager")
    assert [authors for _, authors in unseen(shop, base)] == [("release-manager",), ("dev-2",)]
