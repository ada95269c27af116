"""Edits: what is in them, how they end, who may open one, and which numbers a bundle may have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.android_bundle import UploadKey
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.google_play.state import TO_TESTERS, VIEW
from tests.rehearsal.emulators.play_client import (
    APPLICATION,
    KEY,
    PACKAGE,
    START,
    Store,
    completed,
    draft,
    refusal,
    store,
)

OVERTAKEN = "A change was made to the application outside of this Edit, please create a new edit."


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Store]:
    with store(tmp_path) as opened:
        yield opened


def test_an_upload_is_published_by_the_commit_and_seen_by_nobody_before(play: Store) -> None:
    edit = play.edit()
    content = play.bundle(2)
    uploaded = play.upload(edit, 2, content).json()
    assert uploaded == {
        "versionCode": 2,
        "sha1": hashlib.sha1(content).hexdigest(),  # noqa: S324
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    notes = [{"language": "en-US", "text": "Faster."}]
    answer = play.put(edit, "internal", completed(2, releaseNotes=notes))
    assert answer.json()["releases"] == [
        {"name": "1.0.2", "versionCodes": ["2"], "releaseNotes": notes, "status": "completed"}
    ]
    assert play.states("internal") == [([1], "PUBLISHED")]
    assert play.validate(edit).json()["id"] == edit
    assert play.commit(edit).json() == {"id": edit, "expiryTimeSeconds": str(int(START + 3600))}
    assert play.states("internal") == [([2], "PUBLISHED")]
    assert refusal(play.commit(edit)) == (
        400,
        "badRequest",
        "This edit has already been successfully committed, please create a new Edit.",
    )


def test_an_edit_expires(play: Store) -> None:
    edit = play.edit()
    play.clock.now += 3600
    expected = (400, "failedPrecondition", "This edit has expired, please create a new Edit.")
    assert refusal(play.upload(edit, 2)) == expected
    assert refusal(play.commit(edit)) == expected


def test_a_deleted_edit_is_gone_and_its_number_free_again(play: Store) -> None:
    edit = play.edit()
    play.upload(edit, 2)
    deleted = play.call("DELETE", f"{APPLICATION}/edits/{edit}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert refusal(play.commit(edit)) == (400, "badRequest", "This Edit has been deleted.")
    assert refusal(play.commit("00000000000000000000")) == (404, "notFound", "Edit not found.")
    assert play.release("internal", completed(2), upload=2).status_code == 200


def test_a_second_edit_of_the_same_user_deletes_the_first(play: Store) -> None:
    first = play.edit()
    play.edit()
    assert refusal(play.upload(first, 2)) == (400, "badRequest", "This Edit has been deleted.")


def test_a_change_in_the_console_overtakes_open_edits(play: Store) -> None:
    edit = play.edit()
    assert play.upload(edit, 2).status_code == 200
    play.play.console.change(PACKAGE)
    for answer in (play.put(edit, "internal", completed(2)), play.validate(edit), play.commit(edit)):
        assert refusal(answer) == (400, "badRequest", OVERTAKEN)
    assert play.call("DELETE", f"{APPLICATION}/edits/{edit}").status_code == 204
    assert play.release("internal", completed(2), upload=2).status_code == 200


def test_current_bundles_are_those_of_tracks_and_of_the_edit_not_all_that_were_uploaded(play: Store) -> None:
    play.release("internal", completed(2), upload=2)
    play.release("internal", completed(3), upload=3)
    edit = play.edit()
    play.upload(edit, 4)
    listed = play.call("GET", f"{APPLICATION}/edits/{edit}/bundles").json()["bundles"]
    assert [bundle["versionCode"] for bundle in listed] == [1, 3, 4]


def test_a_number_in_no_track_is_used_all_the_same(play: Store) -> None:
    """fastlane/fastlane#21642: no call shows the number, the upload is refused."""
    play.play.console.use_number(PACKAGE, 7)
    edit = play.edit()
    listed = play.call("GET", f"{APPLICATION}/edits/{edit}/bundles").json()["bundles"]
    assert 7 not in [bundle["versionCode"] for bundle in listed]
    assert refusal(play.upload(edit, 7)) == (403, "forbidden", "Version code 7 has already been used.")


def test_the_number_of_an_edit_that_was_never_committed_may_stay_used(play: Store) -> None:
    """Public threads report both; the other form is above."""
    play.play.console.keep_discarded(PACKAGE, True)
    edit = play.edit()
    play.upload(edit, 2)
    play.call("DELETE", f"{APPLICATION}/edits/{edit}")
    again = play.edit()
    assert refusal(play.upload(again, 2)) == (403, "forbidden", "Version code 2 has already been used.")
    listed = play.call("GET", f"{APPLICATION}/edits/{again}/bundles").json()["bundles"]
    assert [bundle["versionCode"] for bundle in listed] == [1]


def test_what_is_wrong_with_a_bundle_is_reported_and_takes_no_number(play: Store) -> None:
    other = UploadKey.new()
    edit = play.edit()
    assert play.upload(edit, 2).status_code == 200
    refused = {
        "APK has the wrong package name.": play.bundle(3, package="ai.techmate.other"),
        "The Android App Bundle was not signed. Please sign the bundle using jarsigner.": play.bundle(3, key=None),
        f"The Android App Bundle was signed with the wrong key. Found: SHA1: {other.fingerprint}, "
        f"expected: SHA1: {KEY.fingerprint}": play.bundle(3, key=other),
        "Version code 2100000001 is too high: the greatest that is allowed is 2100000000.": play.bundle(2_100_000_001),
        "Version code 2 has already been used.": play.bundle(2),
        "We have failed to run 'bundletool build-apks' on this Android App Bundle. Please ensure your bundle is valid "
        "by running 'bundletool build-apks' locally and try again.": b"PK not a bundle",
    }
    for message, content in refused.items():
        assert refusal(play.upload(edit, 0, content)) == (403, "forbidden", message)
    assert play.upload(edit, 3).status_code == 200
    assert play.upload(edit, 2_100_000_000).status_code == 200


def test_a_bundle_comes_as_octets(play: Store) -> None:
    address = f"/upload{APPLICATION}/edits/{play.edit()}/bundles"
    answer = play.call(
        "POST", address, params={"uploadType": "media"}, content=b"x", headers={"content-type": "application/zip"}
    )
    assert refusal(answer) == (
        400,
        "badRequest",
        "Media type 'application/zip' is not supported. Valid media types: [application/octet-stream]",
    )


def test_only_the_account_of_the_package_has_it(play: Store) -> None:
    elsewhere = APPLICATION.replace(PACKAGE, "ai.techmate.other")
    assert refusal(play.call("POST", f"{elsewhere}/edits", json={})) == (
        404,
        "notFound",
        "Package not found: ai.techmate.other.",
    )


def by_token(token: str | None, permission: str, resource: str, /) -> str:
    """The deployer, a tester's account, and one that may not use the API."""
    assert (permission, resource) == ("serviceusage.services.use", "projects/techmate-delivery")
    if token not in ("deployer", "tester", "stranger", "outsider"):
        raise GoogleError("UNAUTHENTICATED", "Request had invalid authentication credentials.")
    if token == "outsider":
        raise GoogleError("PERMISSION_DENIED", "Permission denied.")
    return token


def test_permissions_are_by_account_and_app(tmp_path: Path) -> None:
    denied = (403, "forbidden", "The caller does not have permission")
    options = {"authorise": by_token, "project": "techmate-delivery", "deployers": ["deployer"]}
    with store(tmp_path, **options) as play:
        assert play.call("POST", f"{APPLICATION}/edits", json={}).json()["error"]["errors"][0]["reason"] == "authError"
        for token in ("stranger", "outsider"):
            play.headers["authorization"] = f"Bearer {token}"
            assert refusal(play.call("POST", f"{APPLICATION}/edits", json={})) == denied
        play.play.console.permissions(PACKAGE, "tester", [VIEW, TO_TESTERS])
        play.headers["authorization"] = "Bearer tester"
        edit = play.edit()
        assert play.upload(edit, 2).status_code == 200
        assert refusal(play.put(edit, "production", completed(2))) == denied
        assert play.put(edit, "internal", completed(2)).status_code == 200
        play.headers["authorization"] = "Bearer deployer"
        assert play.release("production", completed(3), upload=3).status_code == 200
        play.headers["authorization"] = "Bearer tester"
        assert refusal(play.commit(edit)) == (400, "badRequest", OVERTAKEN), "the other account's commit ended it"
        play.play.console.permissions(PACKAGE, "tester", [VIEW])
        looking = play.edit()
        assert play.call("GET", f"{APPLICATION}/edits/{looking}/tracks").status_code == 200
        assert refusal(play.upload(looking, 4)) == denied


def test_a_session_goes_on_although_the_token_has_run_out(tmp_path: Path) -> None:
    options = {"authorise": by_token, "project": "techmate-delivery", "deployers": ["deployer"]}
    with store(tmp_path, headers={"authorization": "Bearer deployer"}, **options) as play:
        address = f"/upload{APPLICATION}/edits/{play.edit()}/bundles"
        started = play.call("POST", address, params={"uploadType": "resumable"})
        play.headers["authorization"] = "Bearer expired"
        content = play.bundle(2)
        headers = {"content-range": f"bytes 0-{len(content) - 1}/{len(content)}"}
        assert play.call("PUT", started.headers["location"], content=content, headers=headers).status_code == 200
        assert play.call("POST", address, params={"uploadType": "resumable"}).status_code == 401


def test_questions_are_limited_by_the_minute(play: Store) -> None:
    play.play.console.quota(PACKAGE, 2)
    play.edit()
    play.edit()
    answer = play.call("POST", f"{APPLICATION}/edits", json={})
    assert refusal(answer)[:2] == (429, "rateLimitExceeded")
    assert answer.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    play.clock.now += 60
    play.edit()


def test_a_draft_app_takes_draft_releases_only(play: Store) -> None:
    """fastlane/fastlane#15693: validate and commit say so; the same edit goes through with a draft release."""
    play.play.console.draft(PACKAGE, True)
    edit = play.edit()
    play.upload(edit, 2)
    assert play.put(edit, "internal", completed(2)).status_code == 200
    expected = (400, "badRequest", "Only releases with status draft may be created on draft app.")
    assert refusal(play.validate(edit)) == expected
    assert refusal(play.commit(edit)) == expected
    play.put(edit, "internal", draft(2))
    assert play.commit(edit).status_code == 200
    assert [(each["versionCodes"], each["status"]) for each in play.track("internal")] == [(["2"], "draft")]
    assert play.states("internal") == []
    play.play.console.draft(PACKAGE, False)
    assert play.states("internal") == [([2], "PUBLISHED")]
    assert play.release("internal", completed(3), upload=3).status_code == 200


def test_state_is_kept_over_a_snapshot(play: Store, tmp_path: Path) -> None:
    play.release("production", completed(2), upload=2)
    play.play.console.observe(PACKAGE, 2, users=100)
    edit = play.edit()
    play.upload(edit, 3)
    saved = play.play.save()
    play.play.reset()
    assert play.states("production") == [([1], "PUBLISHED")]
    play.play.load(saved)
    assert play.states("production") == [([2], "IN_REVIEW"), ([1], "PUBLISHED")]
    play.put(edit, "internal", completed(3))
    assert play.commit(edit).status_code == 200
