from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.emulators.app_store.model import Plan
from tests.rehearsal.emulators.app_store_client import APP, PACE, UNTIL_TESTING, Client, app_store_client, ipa


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Client]:
    with app_store_client(tmp_path) as client:
        yield client


def codes(store: Client, upload: str) -> list[str]:
    return [error["code"] for error in store.upload_state(upload)["errors"]]


# the parts --------------------------------------------------------------------------------------------------------------


def test_an_ipa_becomes_a_build_in_two_waits(store: Client) -> None:
    upload = store.reserve()
    assert upload["attributes"]["state"]["state"] == "AWAITING_UPLOAD"
    content = ipa(encryption=False)
    file = store.add_file(upload["id"], content)
    operations = file["attributes"]["uploadOperations"]
    assert [(o["offset"], o["length"]) for o in operations][:2] == [(0, 200), (200, 200)]
    assert sum(o["length"] for o in operations) == len(content)
    for operation in reversed(operations):
        assert store.put(operation, content).headers["etag"]
    committed = store.commit(file["id"], content, algorithm="SHA_256")
    assert committed["attributes"]["assetDeliveryState"]["state"] == "COMPLETE"
    assert store.upload_state(upload["id"])["state"] == "PROCESSING"
    store.clock.forward(PACE.accept)
    assert store.upload_state(upload["id"])["state"] == "COMPLETE"
    assert store.get("/v1/builds")["data"] == []
    store.clock.forward(PACE.appear)
    [build] = store.get("/v1/builds", include="preReleaseVersion")["data"]
    assert (build["attributes"]["version"], build["attributes"]["processingState"]) == ("7", "PROCESSING")
    store.clock.forward(PACE.process)
    assert store.get(f"/v1/builds/{build['id']}")["data"]["attributes"]["processingState"] == "VALID"
    found = store.get(f"/v1/buildUploads/{upload['id']}", include="build")
    assert [one["id"] for one in found["included"]] == [build["id"]]
    assert list(store.account.root.iterdir()) == []


def test_a_part_may_be_lost_and_sent_again(store: Client) -> None:
    content = ipa()
    file = store.add_file(store.reserve()["id"], content)
    first, *others = file["attributes"]["uploadOperations"]
    for operation in others:
        store.put(operation, content)
    refused = store.commit(file["id"], content, 409)
    assert (refused["code"], refused["detail"]) == (
        "STATE_ERROR",
        "Not all parts of the file have been uploaded; missing: 1.",
    )
    for _ in range(2):
        assert store.put(first, content).status_code == 200
    shown = store.get(f"/v1/buildUploadFiles/{file['id']}")["data"]["attributes"]["uploadOperations"]
    assert shown[0]["entityTag"] == hashlib.md5(content[:200], usedforsecurity=False).hexdigest()
    store.commit(file["id"], content)


def test_a_part_must_be_as_long_as_it_was_announced_to_be(store: Client) -> None:
    content = ipa()
    file = store.add_file(store.reserve()["id"], content)
    first = file["attributes"]["uploadOperations"][0]
    for wrong in (199, 201):
        answer = store.put({**first, "length": wrong}, content)
        assert (answer.status_code, "IncompleteBody" in answer.text) == (400, True)
    store.commit(file["id"], content, 409)


def test_the_storage_takes_what_was_signed_and_nothing_else(store: Client) -> None:
    content = ipa()
    file = store.add_file(store.reserve()["id"], content)
    first, *others = file["attributes"]["uploadOperations"]
    assert "SignatureDoesNotMatch" in store.put(first, content, **{"Content-Type": "text/plain"}).text
    assert "NoSuchUpload" in store.put({**first, "url": first["url"].replace("uploadId=", "uploadId=x")}, content).text
    for operation in (first, *others):
        store.put(operation, content)
    store.commit(file["id"], content)
    assert store.put(first, content).status_code == 404


def test_operations_end_after_a_day(store: Client) -> None:
    content = ipa()
    file = store.add_file(store.reserve()["id"], content)
    store.clock.forward(86_401)
    answer = store.put(file["attributes"]["uploadOperations"][0], content)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)


def test_a_wrong_checksum_fails_the_file_and_the_upload(store: Client) -> None:
    content = ipa()
    upload = store.reserve()["id"]
    file = store.add_file(upload, content)
    for operation in file["attributes"]["uploadOperations"]:
        store.put(operation, content)
    committed = store.commit(file["id"], content + b"x")
    assert committed["attributes"]["assetDeliveryState"]["state"] == "FAILED"
    store.clock.forward(PACE.accept)
    assert (store.upload_state(upload)["state"], codes(store, upload)) == ("FAILED", ["CHECKSUM_MISMATCH"])
    store.clock.forward(UNTIL_TESTING)
    assert store.get("/v1/builds")["data"] == []


def test_committing_twice_is_a_state_error_and_the_state_tells_that_it_was_taken(store: Client) -> None:
    upload = store.deliver()
    [file] = store.account.files.values()
    assert store.commit(file.id, b"", 409)["code"] == "STATE_ERROR"
    assert store.upload_state(upload)["state"] == "PROCESSING"


def test_an_upload_has_one_ipa_and_can_be_taken_back_until_it_is_sent(store: Client) -> None:
    upload = store.reserve()["id"]
    store.add_file(upload, ipa())
    assert store.add_file(upload, ipa(), 409)["code"] == "ENTITY_ERROR.ATTRIBUTE.INVALID.DUPLICATE"
    assert store.ask("DELETE", f"/v1/buildUploads/{upload}").status_code == 204
    assert store.account.files == {}
    assert store.ask("DELETE", f"/v1/buildUploads/{store.deliver()}").status_code == 409


def test_a_large_file_is_not_kept_in_memory_whole(tmp_path: Path) -> None:
    with app_store_client(tmp_path) as store:
        store.account.part_size = 8 << 20
        content = ipa(padding=20 << 20)
        file = store.add_file(store.reserve()["id"], content)
        assert len(file["attributes"]["uploadOperations"]) == 3
        for operation in file["attributes"]["uploadOperations"]:
            store.put(operation, content)
        store.commit(file["id"], content)
        [held] = store.account.builds.values()
        assert held.sha256 == hashlib.sha256(content).hexdigest()


# what is in it ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("binary", [True, False])
def test_both_forms_of_a_property_list_are_read(store: Client, binary: bool) -> None:
    upload = store.deliver(ipa(binary=binary, encryption=True))
    store.clock.forward(UNTIL_TESTING)
    [build] = store.get("/v1/builds")["data"]
    assert (build["attributes"]["usesNonExemptEncryption"], codes(store, upload)) == (True, [])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"not a zip", "90053"),
        (ipa(bundle="ai.techmate.other"), "90054"),
        (ipa(version="1.0.2"), "INFO_PLIST_MISMATCH"),
        (ipa(number="8"), "INFO_PLIST_MISMATCH"),
    ],
)
def test_wrong_content_is_reported_in_the_state_after_a_while(store: Client, content: bytes, code: str) -> None:
    upload = store.deliver(content)
    assert store.upload_state(upload) == {"state": "PROCESSING", "errors": [], "warnings": [], "infos": []}
    store.clock.forward(UNTIL_TESTING)
    assert (store.upload_state(upload)["state"], codes(store, upload)) == ("FAILED", [code])
    assert store.get("/v1/builds")["data"] == []


def test_a_prerelease_version_is_no_version_on_ios(store: Client) -> None:
    """expo/eas-cli#2733"""
    upload = store.deliver(version="1.2.0-rc.1")
    store.clock.forward(PACE.accept)
    [error] = store.upload_state(upload)["errors"]
    assert (error["code"], "'1.2.0-rc.1'" in error["description"]) == ("90060", True)


# numbers and trains -----------------------------------------------------------------------------------------------------


def test_a_number_is_used_once_in_its_train(store: Client) -> None:
    store.build("1.0.1", "7")
    refused = store.reserve("1.0.1", "7", 409)
    assert (refused["code"], refused["source"]) == (
        "ENTITY_ERROR.ATTRIBUTE.INVALID.DUPLICATE",
        {"pointer": "/data/attributes/cfBundleVersion"},
    )
    assert refused["meta"] == {"previousBundleVersion": "7"}
    store.reserve("1.0.1", "8")
    store.reserve("1.0.2", "7")
    store.reserve("1.0.1", "6")


def test_a_number_is_used_though_no_build_is_shown_yet(store: Client) -> None:
    store.deliver()
    assert store.get("/v1/builds")["data"] == []
    store.reserve(status=409)


def test_reservations_and_failed_uploads_use_up_no_number(store: Client) -> None:
    store.reserve()
    store.deliver(b"no zip")
    store.clock.forward(UNTIL_TESTING)
    store.build()


def test_of_two_reservations_of_one_number_the_first_that_is_sent_has_it(store: Client) -> None:
    content, first = ipa(), store.reserve()["id"]
    store.deliver(content)
    file = store.add_file(first, content)
    for operation in file["attributes"]["uploadOperations"]:
        store.put(operation, content)
    store.commit(file["id"], content)
    store.clock.forward(PACE.accept)
    assert (store.upload_state(first)["state"], codes(store, first)) == ("FAILED", ["90189"])


def test_a_number_that_processing_rejected_is_used(store: Client) -> None:
    store.account.next_uploads.append(Plan(state="INVALID"))
    build = store.build()
    assert store.get(f"/v1/builds/{build.id}")["data"]["attributes"]["processingState"] == "INVALID"
    assert store.beta_states(build.id) == ("PROCESSING_EXCEPTION", "PROCESSING_EXCEPTION")
    store.reserve(status=409)


@pytest.mark.parametrize(("version", "expected"), [("3.5.2", ["90186", "90062"]), ("3.5.1", ["90062"])])
def test_a_closed_train_takes_no_builds(store: Client, version: str, expected: list[str]) -> None:
    """openfoodfacts/smooth-app#2745"""
    store.account.publish("3.5.2")
    upload = store.deliver(version=version)
    store.clock.forward(PACE.accept)
    assert (store.upload_state(upload)["state"], codes(store, upload)) == ("FAILED", expected)
    store.build("3.5.3")


def test_a_closed_train_may_be_reported_at_once(store: Client) -> None:
    """openfoodfacts/smooth-app#3608"""
    store.account.closed_train_at_once = True
    store.account.publish("4.2.1")
    refused = store.reserve("4.2.1", status=409)
    assert (refused["code"], refused["title"]) == ("STATE_ERROR.VALIDATION_ERROR.90186", "Asset validation failed")


# bad days ---------------------------------------------------------------------------------------------------------------


def test_an_upload_may_be_complete_for_an_hour_and_no_build_be_seen(store: Client) -> None:
    """Mentra-Community/MentraOS#3856"""
    store.account.next_uploads.append(Plan(hidden=True))
    upload = store.deliver()
    store.clock.forward(3600)
    query = {"filter[app]": APP, "filter[version]": "7"}
    assert store.get("/v1/builds", **query)["data"] == []
    found = store.get(f"/v1/apps/{APP}/buildUploads", **{"filter[cfBundleVersion]": "7"})["data"]
    assert [(one["id"], one["attributes"]["state"]["state"]) for one in found] == [(upload, "COMPLETE")]
    store.reserve(status=409)
    [build] = store.account.builds.values()
    store.account.show_build(build)
    assert len(store.get("/v1/builds", **query)["data"]) == 1


def test_processing_may_fail_after_the_upload_was_complete(store: Client) -> None:
    store.account.next_uploads.append(Plan(state="FAILED"))
    upload = store.deliver()
    store.clock.forward(UNTIL_TESTING)
    assert store.upload_state(upload)["state"] == "COMPLETE"
    [build] = store.get("/v1/builds", **{"filter[processingState]": "FAILED,INVALID"})["data"]
    assert build["attributes"]["version"] == "7"


def test_an_upload_may_fail_by_apples_own_reasons_and_have_warnings(store: Client) -> None:
    store.account.next_uploads.append(Plan(errors=[("90382", "Upload limit reached.")], warnings=[("90078", "Hm.")]))
    upload = store.deliver()
    assert store.upload_state(upload)["warnings"] == []
    store.clock.forward(PACE.accept)
    state = store.upload_state(upload)
    assert (state["errors"], state["warnings"]) == (
        [{"code": "90382", "description": "Upload limit reached."}],
        [{"code": "90078", "description": "Hm."}],
    )
    store.deliver()


def test_an_app_that_is_not_there_has_no_uploads(store: Client) -> None:
    attributes = {"cfBundleShortVersionString": "1.0", "cfBundleVersion": "1", "platform": "IOS"}
    refused = store.post("buildUploads", attributes, 409, app=("apps", "1"))
    assert refused["code"] == "ENTITY_ERROR.RELATIONSHIP.INVALID"
    assert store.ask("GET", "/v1/apps/1/buildUploads").json()["errors"][0]["code"] == "NOT_FOUND"
