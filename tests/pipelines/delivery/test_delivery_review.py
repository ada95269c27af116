"""Whose eyes have seen a commit: authors, co-authors, and who approved the pull request that brought it."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.delivery.review import UNKNOWN, authors_of, covered, merged_by_github, reviewers


def commit(
    message: str = "feat: more", *, login: str | None = "dev-1", email: str = "x@example.test"
) -> dict[str, Any]:
    return {
        "author": {"login": login} if login else None,
        "commit": {"message": message, "author": {"name": "Someone", "email": email}},
    }


def reviews(*reviews: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"user": {"login": login}, "state": state} for login, state in reviews]


def test_the_author_is_the_account() -> None:
    assert authors_of(commit(login="Dev-1")) == ("dev-1",)


@pytest.mark.parametrize(
    "email",
    ["dev-2@users.noreply.github.com", "12345+Dev-2@users.noreply.github.com", "DEV-2@USERS.NOREPLY.GITHUB.COM"],
)
def test_an_address_that_github_gives_out_names_its_account(email: str) -> None:
    assert authors_of(commit(login=None, email=email)) == ("dev-2",)


@pytest.mark.parametrize(
    "email", ["dev-2@example.test", "", "dev-2@users.noreply.github.com.example.test", "a b@users.noreply.github.com"]
)
def test_any_other_address_is_someone_unknown(email: str) -> None:
    assert authors_of(commit(login=None, email=email)) == (UNKNOWN,)


def test_co_authors_are_authors() -> None:
    message = (
        "feat: together\n\nText.\n\n"
        "Co-authored-by: One <7+dev-2@users.noreply.github.com>\n"
        "co-AUTHORED-by:Two<dev-3@users.noreply.github.com>\r\n"
        "Co-authored-by: Three <three@example.test>\n"
        "Co-authored-by: nobody in particular\n"
    )
    assert authors_of(commit(message)) == (UNKNOWN, "dev-1", "dev-2", "dev-3")


def test_a_long_message_hides_no_co_author() -> None:
    message = (
        "\n".join(["co-authored-by: " + "<" * 300] * 2_000) + "\nCo-authored-by: x <dev-2@users.noreply.github.com>"
    )
    assert authors_of(commit(message)) == ("dev-1", "dev-2")


def test_the_last_word_of_each_counts() -> None:
    assert reviewers(reviews(("dev-2", "APPROVED"), ("Dev-3", "APPROVED"))) == {"dev-2", "dev-3"}
    assert reviewers(reviews(("dev-2", "APPROVED"), ("dev-2", "CHANGES_REQUESTED"))) == frozenset()
    assert reviewers(reviews(("dev-2", "APPROVED"), ("dev-2", "DISMISSED"))) == frozenset()
    assert reviewers(reviews(("dev-2", "CHANGES_REQUESTED"), ("dev-2", "APPROVED"))) == {"dev-2"}


def test_a_comment_takes_no_approval_back_and_gives_none() -> None:
    assert reviewers(reviews(("dev-2", "APPROVED"), ("dev-2", "COMMENTED"), ("dev-3", "COMMENTED"))) == {"dev-2"}
    assert reviewers([{"user": None, "state": "APPROVED"}]) == frozenset()


@pytest.mark.parametrize(
    ("authors", "pull_author", "approved", "expected"),
    [
        (("dev-1",), "dev-1", {"dev-2"}, True),
        (("dev-1",), "dev-1", set(), False),
        (("dev-1",), "dev-1", {"dev-1"}, False),
        (("dev-1", "dev-2"), "dev-1", {"dev-2"}, False),
        (("dev-1", "dev-2"), "dev-1", {"dev-3"}, True),
        (("dev-1",), "Dev-2", {"dev-2"}, False),
        ((UNKNOWN,), "dev-1", {"dev-2"}, False),
        ((UNKNOWN,), "dev-1", {"dev-2", "dev-3"}, True),
        ((UNKNOWN, "dev-3"), "dev-1", {"dev-2", "dev-3"}, False),
    ],
)
def test_someone_who_wrote_nothing_of_it_must_have_approved(
    authors: tuple[str, ...], pull_author: str, approved: set[str], expected: bool
) -> None:
    """Where an author has no account, one of two approvers is surely someone else."""
    assert covered(authors, pull_author, frozenset(approved)) == expected


def merge_commit(**otherwise: Any) -> dict[str, Any]:
    values = {"committer": {"email": "noreply@github.com"}, "verification": {"verified": True}, **otherwise}
    return {"parents": [{"sha": "a"}, {"sha": "b"}], "commit": values}


def test_githubs_own_merges_are_known_by_their_signature() -> None:
    assert merged_by_github(merge_commit())
    assert not merged_by_github(merge_commit(verification={"verified": False}))
    assert not merged_by_github(merge_commit(verification=None))
    assert not merged_by_github(merge_commit(committer={"email": "dev-1@users.noreply.github.com"}))
    assert not merged_by_github({**merge_commit(), "parents": [{"sha": "a"}]}), "a squash has an author"
