from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.emulators.app_store import phased as rules
from tests.rehearsal.emulators.app_store_client import APP, PACE, Client, app_store_client

DAY = PACE.day


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Client]:
    with app_store_client(tmp_path) as client:
        yield client


def submission_state(store: Client, submission: str) -> str:
    found: str = store.get(f"/v1/reviewSubmissions/{submission}")["data"]["attributes"]["state"]
    return found


def review_over(store: Client) -> None:
    store.clock.forward(PACE.queue + PACE.review)


# versions ---------------------------------------------------------------------------------------------------------------


def test_a_first_version_goes_through_review_and_is_on_sale(store: Client) -> None:
    version = store.prepare("1.0.0", "1")
    submission = store.post("reviewSubmissions", {"platform": "IOS"}, app=("apps", APP))["id"]
    store.add_item(submission, version)
    seen = [(store.store_state(version), submission_state(store, submission))]
    store.patch("reviewSubmissions", submission, {"submitted": True})
    for seconds in (0, PACE.queue, PACE.review):
        store.clock.forward(seconds)
        seen.append((store.store_state(version), submission_state(store, submission)))
    assert seen == [
        ("READY_FOR_REVIEW", "READY_FOR_REVIEW"),
        ("WAITING_FOR_REVIEW", "WAITING_FOR_REVIEW"),
        ("IN_REVIEW", "IN_REVIEW"),
        ("READY_FOR_SALE", "COMPLETE"),
    ]
    found = store.get(f"/v1/appStoreVersions/{version}")["data"]["attributes"]
    assert (found["appVersionState"], found["downloadable"]) == ("READY_FOR_DISTRIBUTION", True)
    [item] = store.get(f"/v1/reviewSubmissions/{submission}/items", include="appStoreVersion")["data"]
    assert item["attributes"]["state"] == "APPROVED"


def test_an_approved_version_closes_its_train_before_it_is_on_sale(store: Client) -> None:
    version = store.prepare("2.0.0", releaseType="MANUAL")
    store.submit(version)
    review_over(store)
    assert store.store_state(version) == "PENDING_DEVELOPER_RELEASE"
    upload = store.deliver(version="2.0.0", number="21")
    store.clock.forward(PACE.accept)
    assert [error["code"] for error in store.upload_state(upload)["errors"]] == ["90186", "90062"]
    store.post("appStoreVersionReleaseRequests", None, 201, appStoreVersion=("appStoreVersions", version))
    assert store.store_state(version) == "READY_FOR_SALE"
    again = store.post("appStoreVersionReleaseRequests", None, 409, appStoreVersion=("appStoreVersions", version))
    assert again["code"] == "STATE_ERROR"


def test_a_version_may_be_released_at_a_time(store: Client) -> None:
    version = store.prepare("2.0.0", releaseType="SCHEDULED", earliestReleaseDate="2023-11-20T00:00:00Z")
    store.submit(version)
    review_over(store)
    assert store.store_state(version) == "PENDING_DEVELOPER_RELEASE"
    store.account.skip(7 * 86_400)
    assert store.store_state(version) == "READY_FOR_SALE"


def test_a_new_version_replaces_the_last(store: Client) -> None:
    first = store.account.publish("1.0.0")
    version = store.prepare("2.0.0")
    store.submit(version)
    assert store.store_state(first.id) == "READY_FOR_SALE"
    review_over(store)
    assert (store.store_state(first.id), store.store_state(version)) == ("REPLACED_WITH_NEW_VERSION", "READY_FOR_SALE")


def test_one_version_is_prepared_at_a_time(store: Client) -> None:
    """fastlane/fastlane#18794, sceneview/sceneview#3143"""
    store.account.publish("1.0.0")
    version = store.version("1.1.0")["id"]
    refused = store.version("1.2.0", 409)
    assert (refused["code"], refused["detail"], refused["source"]) == (
        "ENTITY_ERROR.RELATIONSHIP.INVALID",
        "You cannot create a new version of the App in the current state.",
        {"pointer": "/data/relationships/app"},
    )
    assert (
        store.patch("appStoreVersions", version, {"versionString": "1.2.0"})["attributes"]["versionString"] == "1.2.0"
    )


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("1.0.0", "ENTITY_ERROR.ATTRIBUTE.INVALID.DUPLICATE"),
        ("0.9.0", "ENTITY_ERROR.ATTRIBUTE.INVALID"),
        ("1.1.0-rc.1", "ENTITY_ERROR.ATTRIBUTE.INVALID"),
    ],
)
def test_a_version_must_be_above_the_last_approved(store: Client, version: str, code: str) -> None:
    """fastlane/fastlane#21888"""
    store.account.publish("1.0.0")
    refused = store.version(version, 409)
    assert (refused["code"], refused["source"]["pointer"]) == (code, "/data/attributes/versionString")


def test_only_a_processed_build_of_the_same_version_is_taken(store: Client) -> None:
    version = store.version("2.0.0")["id"]
    other = store.build("1.9.0", "3")
    store.deliver(version="2.0.0", number="4")
    store.clock.forward(PACE.accept + PACE.appear)
    [young] = store.get("/v1/builds", **{"filter[preReleaseVersion.version]": "2.0.0"})["data"]
    for build in (other.id, young["id"], "gone"):
        body = {"type": "builds", "id": build}
        refused = store.send("PATCH", f"/v1/appStoreVersions/{version}/relationships/build", body, 409)
        assert refused["detail"] == "The specified pre-release build could not be added."
    assert store.get(f"/v1/appStoreVersions/{version}/build")["data"] is None
    store.clock.forward(PACE.process)
    related = {"relationships": {"build": {"data": {"type": "builds", "id": young["id"]}}}}
    body = {"type": "appStoreVersions", "id": version, **related}
    store.send("PATCH", f"/v1/appStoreVersions/{version}", body, 200)
    assert store.get(f"/v1/appStoreVersions/{version}/build")["data"]["id"] == young["id"]


def test_release_notes(store: Client) -> None:
    """rorkai/App-Store-Connect-CLI#2583"""
    first = store.version("1.0.0")["id"]
    [notes] = store.get(f"/v1/appStoreVersions/{first}/appStoreVersionLocalizations")["data"]
    refused = store.patch("appStoreVersionLocalizations", notes["id"], {"whatsNew": "x"}, 409)
    assert refused["detail"] == "Attribute 'whatsNew' cannot be edited at this time"
    store.ask("DELETE", f"/v1/appStoreVersions/{first}")
    store.account.publish("1.0.0")
    update = store.version("1.1.0")["id"]
    related = ("appStoreVersions", update)
    exists = store.post("appStoreVersionLocalizations", {"locale": "en-US"}, 409, appStoreVersion=related)
    assert (exists["code"], exists["detail"]) == (
        "ENTITY_ERROR.ATTRIBUTE.INVALID.DUPLICATE",
        "Entity with locale: en-US already exists. Try updating.",
    )
    texts = {"locale": "de-DE", "whatsNew": "Schneller."}
    made = store.post("appStoreVersionLocalizations", texts, 201, appStoreVersion=related)
    assert made["attributes"] == texts


# review -----------------------------------------------------------------------------------------------------------------


def test_what_a_version_lacks_is_reported_when_it_is_put_into_a_submission(store: Client) -> None:
    """nickustinov/itsyconnect-macos#67, fastlane/fastlane#20065"""
    store.account.publish("1.0.0")
    version = store.version("1.1.0")["id"]
    submission = store.post("reviewSubmissions", {"platform": "IOS"}, app=("apps", APP))["id"]
    refused = store.add_item(submission, version, 409)
    assert (refused["code"], refused["title"]) == (
        "STATE_ERROR.ENTITY_STATE_INVALID",
        f"appStoreVersions with id '{version}' is not in valid state.",
    )
    lacking = refused["meta"]["associatedErrors"][f"/v1/appStoreVersions/{version}"]
    assert [one["source"]["pointer"] for one in lacking] == ["/data/attributes/build", "/data/attributes/whatsNew"]
    assert store.patch("reviewSubmissions", submission, {"submitted": True}, 409)["code"] == "STATE_ERROR"


def test_one_submission_is_open_at_a_time(store: Client) -> None:
    """fastlane/fastlane#21482"""
    submission = store.submit(store.prepare())
    refused = store.post("reviewSubmissions", {"platform": "IOS"}, 409, app=("apps", APP))
    assert (refused["title"], refused["detail"]) == (
        "Resource state invalid",
        f"There is another reviewSubmissions with id {submission} still in progress.",
    )
    assert store.patch("reviewSubmissions", submission, {"submitted": True}, 409)["code"] == "STATE_ERROR"


def test_a_rejected_version_is_changed_and_submitted_again(store: Client) -> None:
    store.account.next_reviews.append("REJECTED")
    version = store.prepare()
    submission = store.submit(version)
    review_over(store)
    assert (store.store_state(version), submission_state(store, submission)) == ("REJECTED", "UNRESOLVED_ISSUES")
    better = {"type": "builds", "id": store.build("2.0.0", "21").id}
    store.send("PATCH", f"/v1/appStoreVersions/{version}/relationships/build", better, 204)
    store.patch("reviewSubmissions", submission, {"submitted": True})
    assert store.store_state(version) == "WAITING_FOR_REVIEW"
    review_over(store)
    assert (store.store_state(version), submission_state(store, submission)) == ("READY_FOR_SALE", "COMPLETE")


def test_a_submission_is_taken_back(store: Client) -> None:
    version = store.prepare()
    submission = store.submit(version)
    body = {"type": "builds", "id": store.build("2.0.0", "21").id}
    path = f"/v1/appStoreVersions/{version}/relationships/build"
    assert store.send("PATCH", path, body, 409)["code"] == "STATE_ERROR"
    store.patch("reviewSubmissions", submission, {"canceled": True})
    assert (store.store_state(version), submission_state(store, submission)) == ("DEVELOPER_REJECTED", "COMPLETE")
    store.send("PATCH", path, body, 204)
    store.submit(version)
    review_over(store)
    assert store.store_state(version) == "READY_FOR_SALE"
    latest = store.get("/v1/reviewSubmissions", **{"filter[app]": APP, "filter[state]": "COMPLETE"})["data"]
    assert len(latest) == 2


def test_an_item_is_taken_out_before_review(store: Client) -> None:
    version = store.prepare()
    submission = store.post("reviewSubmissions", {"platform": "IOS"}, app=("apps", APP))["id"]
    item = store.add_item(submission, version)["id"]
    assert store.add_item(submission, version, 409)["code"] == "STATE_ERROR"
    assert store.ask("DELETE", f"/v1/reviewSubmissionItems/{item}").status_code == 204
    assert store.store_state(version) == "PREPARE_FOR_SUBMISSION"


# phased releases --------------------------------------------------------------------------------------------------------


def phase(store: Client, version: str, status: int = 201) -> Any:
    wanted = {"phasedReleaseState": "INACTIVE"}
    return store.post("appStoreVersionPhasedReleases", wanted, status, appStoreVersion=("appStoreVersions", version))


def phases(store: Client, version: str) -> tuple[str, int, int]:
    """State, day, percent."""
    found = store.get(f"/v1/appStoreVersions/{version}/appStoreVersionPhasedRelease")["data"]["attributes"]
    [held] = store.account.phased.values()
    return found["phasedReleaseState"], found["currentDayNumber"], rules.percent(store.account, held)


@pytest.fixture
def released(store: Client) -> tuple[str, str]:
    """(version, phased release), on sale since now."""
    store.account.publish("1.0.0")
    version = store.prepare()
    release = phase(store, version)["id"]
    assert phases(store, version) == ("INACTIVE", 0, 0)
    store.submit(version)
    review_over(store)
    return version, release


def test_a_phased_release_takes_seven_days(store: Client, released: tuple[str, str]) -> None:
    version, _ = released
    seen = []
    for _ in range(8):
        seen.append(phases(store, version))
        store.clock.forward(DAY)
    active = [("ACTIVE", day, percent) for day, percent in enumerate((1, 2, 5, 10, 20, 50, 100), 1)]
    assert seen == [*active, ("COMPLETE", 7, 100)]


def test_a_pause_stops_the_days(store: Client, released: tuple[str, str]) -> None:
    version, release = released
    store.clock.forward(2 * DAY)
    store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": "PAUSED"})
    store.clock.forward(5 * DAY)
    assert phases(store, version) == ("PAUSED", 3, 5)
    resumed = store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": "ACTIVE"})
    assert resumed["attributes"]["totalPauseDuration"] == 5
    store.clock.forward(DAY)
    assert phases(store, version) == ("ACTIVE", 4, 10)


def test_pauses_take_no_more_than_thirty_days_in_all(store: Client, released: tuple[str, str]) -> None:
    version, release = released
    for days in (20, 11):
        store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": "PAUSED"})
        store.clock.forward(days * DAY)
        if days == 20:
            store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": "ACTIVE"})
    assert phases(store, version) == ("ACTIVE", 2, 2)
    refused = store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": "PAUSED"}, 409)
    assert refused["code"] == "STATE_ERROR"


@pytest.mark.parametrize("first", ["ACTIVE", "PAUSED"])
def test_it_may_be_given_to_everybody_and_that_is_final(store: Client, released: tuple[str, str], first: str) -> None:
    version, release = released
    store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": first})
    store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": "COMPLETE"})
    assert phases(store, version)[::2] == ("COMPLETE", 100)
    store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": "PAUSED"}, 409)
    assert store.ask("DELETE", f"/v1/appStoreVersionPhasedReleases/{release}").status_code == 409


def test_a_first_version_has_no_phased_release(store: Client) -> None:
    refused = phase(store, store.prepare("1.0.0", "1"), 409)
    assert (refused["code"], "first version" in refused["detail"]) == ("STATE_ERROR", True)


def test_a_phased_release_is_asked_for_once_and_in_time(store: Client) -> None:
    live = store.account.publish("1.0.0")
    assert phase(store, live.id, 409)["code"] == "STATE_ERROR"
    version = store.prepare()
    assert store.get(f"/v1/appStoreVersions/{version}/appStoreVersionPhasedRelease")["data"] is None
    release = phase(store, version)["id"]
    assert phase(store, version, 409)["code"] == "STATE_ERROR"
    assert store.patch("appStoreVersionPhasedReleases", release, {"phasedReleaseState": "PAUSED"}, 409)
    assert store.ask("DELETE", f"/v1/appStoreVersionPhasedReleases/{release}").status_code == 204


def test_the_next_version_ends_it(store: Client, released: tuple[str, str]) -> None:
    version, _ = released
    store.submit(store.prepare("2.1.0", "1"))
    review_over(store)
    assert phases(store, version)[0] == "COMPLETE"
