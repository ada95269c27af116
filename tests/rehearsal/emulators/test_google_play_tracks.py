"""Releases of tracks: what a list replaces and what stays, and what Play refuses in them; reviews."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.emulators.play_client import (
    APPLICATION,
    PACKAGE,
    Store,
    completed,
    draft,
    halted,
    refusal,
    staged,
    store,
)

MUST_BE_SET = (
    "Changes cannot be sent for review automatically. Please set the query parameter changesNotSentForReview to true. "
    "Once committed, the changes in this edit can be sent for review from the Google Play Console UI."
)
MUST_NOT_BE_SET = (
    "Changes are sent for review automatically. The query parameter changesNotSentForReview must not be set."
)
NO_UPGRADE = (
    "You cannot rollout this release because it does not allow any existing users to upgrade to the newly added APKs."
)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Store]:
    with store(tmp_path) as opened:
        yield opened


def shown(releases: list[dict[str, Any]]) -> list[tuple[str, str, float | None]]:
    return [("+".join(each["versionCodes"]), each["status"], each.get("userFraction")) for each in releases]


def reviewed(play: Store) -> None:
    play.play.console.conclude_review(PACKAGE, "approve")


def test_a_staged_roll_out_widens_halts_resumes_and_completes(play: Store) -> None:
    assert play.release("production", staged(2, 0.05), upload=2).status_code == 200
    assert shown(play.track("production")) == [("2", "inProgress", 0.05), ("1", "completed", None)]
    reviewed(play)
    for release, left in (
        (staged(2, 0.2), ("2", "inProgress", 0.2)),
        (halted(2, 0.2), ("2", "halted", 0.2)),
        (staged(2, 0.2), ("2", "inProgress", 0.2)),
    ):
        assert play.release("production", release, completed(1)).status_code == 200
        assert shown(play.track("production")) == [left, ("1", "completed", None)]
        assert play.states("production") == [([2], "PUBLISHED"), ([1], "PUBLISHED")]
    assert play.release("production", completed(2)).status_code == 200
    assert shown(play.track("production")) == [("2", "completed", None)]
    assert play.states("production") == [([2], "PUBLISHED")], "1 is obsolete"


def test_a_draft_halts_the_roll_out_that_it_leaves_out(play: Store) -> None:
    """fastlane/fastlane#29447."""
    play.release("production", staged(2, 0.05), upload=2)
    reviewed(play)
    assert play.release("production", draft(3), upload=3).status_code == 200
    assert shown(play.track("production")) == [("3", "draft", None), ("2", "halted", 0.05), ("1", "completed", None)]


def test_a_completed_release_stays_until_another_is_completed(play: Store) -> None:
    assert play.release("internal").status_code == 200
    assert shown(play.track("internal")) == [("1", "completed", None)]
    play.release("internal", draft(2), upload=2)
    assert shown(play.track("internal")) == [("2", "draft", None), ("1", "completed", None)]
    play.release("internal", completed(3), upload=3)
    assert shown(play.track("internal")) == [("3", "completed", None)]


@pytest.mark.parametrize(
    ("releases", "message"),
    [
        ([staged(1, 1.0)], "User fraction must be lower than one."),
        ([staged(1, 0.0)], "User fraction must be greater than zero."),
        ([{"versionCodes": ["1"], "status": "inProgress"}], "IN_PROGRESS release must have fraction"),
        ([completed(1, userFraction=1.0)], "COMPLETED release must not have fraction"),
        ([{**draft(1), "userFraction": 0.5}], "DRAFT release must not have fraction"),
        ([{"versionCodes": ["1"]}], "Release status must be specified."),
        ([{"versionCodes": [], "status": "completed"}], "Release must have version codes."),
        ([completed(1), completed(2)], "Too many completed releases specified."),
        ([staged(2, 0.1), halted(3, 0.2)], "Too many staged releases specified."),
        ([draft(2), draft(3)], "Too many draft releases specified."),
        ([completed(1, inAppUpdatePriority=6)], "In-app update priority must be between 0 and 5."),
    ],
)
def test_a_release_that_cannot_be_is_refused_by_the_update(
    play: Store, releases: list[dict[str, Any]], message: str
) -> None:
    assert refusal(play.put(play.edit(), "production", *releases)) == (400, "badRequest", message)


def test_notes_are_limited_by_language_and_the_commit_says_so(play: Store) -> None:
    """keymanapp/keyman#5533."""
    edit = play.edit()
    play.upload(edit, 2)
    notes = [{"language": "en-US", "text": "é" * 501}, {"language": "de-DE", "text": "é" * 500}]
    assert play.put(edit, "internal", completed(2, releaseNotes=notes)).status_code == 200
    message = "The release created has notes in language en-US with length 501, which is too long (max: 500)."
    assert refusal(play.commit(edit)) == (403, "forbidden", message)
    play.put(edit, "internal", completed(2, releaseNotes=notes[1:]))
    assert play.commit(edit).status_code == 200, "the edit stayed valid"


def test_codes_that_nobody_uploaded_are_found_by_validate(play: Store) -> None:
    """googleapis/google-api-python-client#1944."""
    edit = play.edit()
    assert play.put(edit, "internal", completed(8, 9)).status_code == 200
    message = "The following APK version codes could not be found: 8, 9"
    assert refusal(play.validate(edit)) == (403, "forbidden", message)


def test_a_number_below_what_was_shipped_reaches_nobody(play: Store) -> None:
    """Triple-T/gradle-play-publisher#1060: the upload is taken, the commit is not."""
    play.release("internal", completed(5), upload=5)
    assert refusal(play.release("internal", completed(4), upload=4)) == (403, "forbidden", NO_UPGRADE)
    play.release("production", completed(7), upload=7)
    reviewed(play)
    assert refusal(play.release("internal", completed(6), upload=6)) == (403, "forbidden", NO_UPGRADE)


def test_going_back_is_a_new_number(play: Store) -> None:
    play.release("internal", completed(2), upload=2)
    assert refusal(play.release("internal", completed(1))) == (403, "forbidden", NO_UPGRADE)


def test_a_roll_out_only_grows_and_only_roll_outs_are_halted(play: Store) -> None:
    play.release("production", staged(2, 0.2), upload=2)
    reviewed(play)
    answers = (
        play.release("production", staged(2, 0.1)),
        play.release("production", halted(1, 0.1)),
        play.release("production", staged(1, 0.1)),
    )
    assert [answer.status_code for answer in answers] == [400, 400, 400]


def test_a_track_that_is_not_there(play: Store) -> None:
    edit = play.edit()
    for answer in (
        play.call("GET", f"{APPLICATION}/edits/{edit}/tracks/nightly"),
        play.put(edit, "nightly", completed(1)),
        play.call("GET", f"{APPLICATION}/tracks/nightly/releases"),
    ):
        assert refusal(answer) == (404, "notFound", "Track not found.")
    listed = play.call("GET", f"{APPLICATION}/edits/{edit}/tracks").json()["tracks"]
    assert [each["track"] for each in listed] == ["production", "beta", "alpha", "internal"]


@pytest.mark.parametrize("track", ["production", "beta", "alpha"])
def test_a_new_number_waits_for_review_while_users_keep_the_old(play: Store, track: str) -> None:
    before = play.states(track)
    play.release(track, completed(2), upload=2)
    assert shown(play.track(track)) == [("2", "completed", None)], "the track shows what was committed"
    assert play.states(track) == [([2], "IN_REVIEW"), *before]
    play.clock.now += 3599
    assert play.states(track)[0] == ([2], "IN_REVIEW")
    play.clock.now += 1
    assert play.states(track) == [([2], "PUBLISHED")]


def test_internal_testing_needs_no_review(play: Store) -> None:
    play.release("internal", completed(2), upload=2)
    assert play.states("internal") == [([2], "PUBLISHED")]


def test_approved_changes_can_wait_for_a_person(play: Store) -> None:
    play.play.console.managed_publishing(PACKAGE, True)
    play.release("production", completed(2), upload=2)
    reviewed(play)
    assert play.states("production") == [([2], "APPROVED_NOT_PUBLISHED"), ([1], "PUBLISHED")]
    play.play.console.publish(PACKAGE)
    assert play.states("production") == [([2], "PUBLISHED")]


def test_an_error_while_in_review_leaves_the_edit_valid(play: Store) -> None:
    play.release("production", completed(2), upload=2)
    edit = play.edit()
    play.upload(edit, 3)
    play.put(edit, "internal", completed(3))
    refused = play.commit(edit, changesInReviewBehavior="ERROR_IF_IN_REVIEW")
    assert refusal(refused)[:2] == (400, "failedPrecondition")
    assert play.states("production")[0] == ([2], "IN_REVIEW"), "nothing was cancelled"
    play.clock.now += 3599
    assert play.commit(edit, changesInReviewBehavior="ERROR_IF_IN_REVIEW").status_code == 400
    reviewed(play)
    assert play.commit(edit, changesInReviewBehavior="ERROR_IF_IN_REVIEW").status_code == 200
    assert play.states("internal") == [([3], "PUBLISHED")]


@pytest.mark.parametrize("query", [{}, {"changesInReviewBehavior": "CANCEL_IN_REVIEW_AND_SUBMIT"}])
def test_the_default_cancels_a_review_and_it_begins_again(play: Store, query: dict[str, str]) -> None:
    play.release("production", completed(2), upload=2)
    play.clock.now += 3000
    assert play.release("internal", completed(3), upload=3, **query).status_code == 200
    play.clock.now += 3000
    assert play.states("production")[0] == ([2], "IN_REVIEW")
    play.clock.now += 600
    assert play.states("production") == [([2], "PUBLISHED")]


def test_the_review_flag_must_not_be_set_where_changes_are_sent_by_themselves(play: Store) -> None:
    """pathorsAI/parley#388; the edit stays valid, and false is the same as nothing."""
    edit = play.edit()
    play.upload(edit, 2)
    play.put(edit, "production", completed(2))
    assert refusal(play.commit(edit, changesNotSentForReview="true")) == (400, "badRequest", MUST_NOT_BE_SET)
    assert play.commit(edit, changesNotSentForReview="false").status_code == 200


def test_after_a_rejection_the_review_flag_must_be_set_and_a_person_sends(play: Store) -> None:
    """r0adkll/upload-google-play#251."""
    play.play.console.next_verdict(PACKAGE, "reject")
    play.release("production", completed(2), upload=2)
    play.clock.now += 3600
    assert play.states("production") == [([2], "NOT_APPROVED"), ([1], "PUBLISHED")]
    edit = play.edit()
    play.upload(edit, 3)
    play.put(edit, "production", completed(3))
    for query in ({}, {"changesNotSentForReview": "false"}):
        assert refusal(play.commit(edit, **query)) == (400, "badRequest", MUST_BE_SET)
    assert play.commit(edit, changesNotSentForReview="true").status_code == 200
    assert play.states("production") == [([3], "NOT_SENT_FOR_REVIEW"), ([1], "PUBLISHED")]
    play.clock.now += 10_000
    assert play.states("production")[0] == ([3], "NOT_SENT_FOR_REVIEW"), "nobody looks at it"
    play.play.console.send_for_review(PACKAGE)
    play.clock.now += 3600
    assert play.states("production") == [([3], "PUBLISHED")]
    assert play.release("internal", completed(4), upload=4, changesNotSentForReview="true").status_code == 400
