from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.emulators.app_store.model import Plan
from tests.rehearsal.emulators.app_store_client import PACE, UNTIL_TESTING, Client, app_store_client, ipa


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Client]:
    with app_store_client(tmp_path) as client:
        yield client


def add(store: Client, group: str, build: str, status: int = 204) -> Any:
    body = [{"type": "builds", "id": build}]
    return store.send("POST", f"/v1/betaGroups/{store.group(group)}/relationships/builds", body, status)


def submit(store: Client, build: str, status: int = 201) -> Any:
    return store.post("betaAppReviewSubmissions", None, status, build=("builds", build))


def test_a_beta_detail_comes_after_processing(store: Client) -> None:
    """fastlane/fastlane#20645: VALID does not say that there is one."""
    store.account.next_uploads.append(Plan(detail=900))
    store.deliver(ipa(encryption=False))
    store.clock.forward(UNTIL_TESTING)
    [build] = store.get("/v1/builds", include="buildBetaDetail")["data"]
    assert build["attributes"]["processingState"] == "VALID"
    assert "data" not in build["relationships"]["buildBetaDetail"]
    refused = store.ask("GET", f"/v1/builds/{build['id']}/buildBetaDetail").json()["errors"][0]
    assert (refused["status"], refused["detail"]) == (
        "404",
        f"There is no resource of type 'buildBetaDetails' with id '{build['id']}'",
    )
    assert submit(store, build["id"], 422)["detail"] == "Build is not in internal testing state."
    store.clock.forward(900)
    assert store.beta_states(build["id"]) == ("IN_BETA_TESTING", "READY_FOR_BETA_SUBMISSION")


def test_export_compliance_is_declared_once(store: Client) -> None:
    build = store.build(encryption=None)
    assert store.beta_states(build.id) == ("MISSING_EXPORT_COMPLIANCE", "MISSING_EXPORT_COMPLIANCE")
    assert add(store, "Friends", build.id, 422)["code"] == "ENTITY_UNPROCESSABLE"
    assert submit(store, build.id, 422)["code"] == "ENTITY_UNPROCESSABLE"
    shown = store.get("/v1/builds", **{"exists[usesNonExemptEncryption]": "false"})["data"]
    assert [one["id"] for one in shown] == [build.id]
    store.patch("builds", build.id, {"usesNonExemptEncryption": False})
    assert store.beta_states(build.id) == ("IN_BETA_TESTING", "READY_FOR_BETA_SUBMISSION")
    again = store.patch("builds", build.id, {"usesNonExemptEncryption": False}, 409)
    assert again["detail"] == "You cannot update when the value is already set."


def test_an_internal_group_with_all_builds_takes_none_by_hand(store: Client) -> None:
    """metasequoiaime/MSIME-Apple#518"""
    build = store.build()
    refused = add(store, "Team", build.id, 422)
    assert (refused["title"], refused["detail"]) == (
        "Builds cannot be assigned to this internal group.",
        "Cannot add internal group to a build.",
    )
    held = store.get(f"/v1/betaGroups/{store.group('Team')}/builds")["data"]
    assert [one["id"] for one in held] == [build.id]


def test_an_internal_group_without_that_is_given_builds(store: Client) -> None:
    store.account.groups[store.group("Team")].all_builds = False
    build = store.build()
    assert store.beta_states(build.id)[0] == "READY_FOR_BETA_TESTING"
    body = [{"type": "betaGroups", "id": store.group("Team")}]
    store.send("POST", f"/v1/builds/{build.id}/relationships/betaGroups", body, 204)
    assert store.beta_states(build.id)[0] == "IN_BETA_TESTING"
    assert (
        store.ask("DELETE", f"/v1/builds/{build.id}/relationships/betaGroups", json={"data": body}).status_code == 204
    )
    assert store.beta_states(build.id)[0] == "READY_FOR_BETA_TESTING"


def test_external_testers_get_a_build_after_its_review(store: Client) -> None:
    build = store.build()
    add(store, "Friends", build.id)
    assert store.beta_states(build.id)[1] == "READY_FOR_BETA_SUBMISSION"
    submission = submit(store, build.id)
    path = f"/v1/betaAppReviewSubmissions/{submission['id']}"
    seen = []
    for seconds in (0, PACE.beta_queue, PACE.beta_review):
        store.clock.forward(seconds)
        seen.append((store.get(path)["data"]["attributes"]["betaReviewState"], store.beta_states(build.id)[1]))
    assert seen == [
        ("WAITING_FOR_REVIEW", "WAITING_FOR_BETA_REVIEW"),
        ("IN_REVIEW", "IN_BETA_REVIEW"),
        ("APPROVED", "IN_BETA_TESTING"),
    ]
    body = [{"type": "builds", "id": build.id}]
    store.ask("DELETE", f"/v1/betaGroups/{store.group('Friends')}/relationships/builds", json={"data": body})
    assert store.beta_states(build.id)[1] == "BETA_APPROVED"


def test_a_beta_review_may_reject(store: Client) -> None:
    store.account.next_reviews.append("REJECTED")
    build = store.build()
    submit(store, build.id)
    store.clock.forward(PACE.beta_queue + PACE.beta_review)
    assert store.beta_states(build.id) == ("IN_BETA_TESTING", "BETA_REJECTED")


def test_a_build_is_submitted_once(store: Client) -> None:
    build = store.build()
    submit(store, build.id)
    assert submit(store, build.id, 409)["code"] == "STATE_ERROR"


def test_one_build_of_a_version_is_in_review_at_a_time(store: Client) -> None:
    one, other, later = store.build("1.0.1", "7"), store.build("1.0.1", "8"), store.build("1.0.2", "8")
    submit(store, one.id)
    assert submit(store, other.id, 422)["code"] == "ENTITY_UNPROCESSABLE.ANOTHER_BUILD_IN_REVIEW"
    add(store, "Friends", other.id)
    submit(store, later.id)
    store.clock.forward(PACE.beta_queue + PACE.beta_review)
    submit(store, other.id)


def test_what_is_not_processed_goes_nowhere(store: Client) -> None:
    """codemagic-ci-cd/cli-tools#346"""
    store.deliver(ipa(encryption=False))
    store.clock.forward(PACE.accept + PACE.appear)
    [build] = store.get("/v1/builds")["data"]
    for refused in (submit(store, build["id"], 422), add(store, "Friends", build["id"], 422)):
        assert refused["detail"] == "The build is not in a valid processing state for this operation."


def test_groups_take_all_of_a_request_or_none(store: Client) -> None:
    build = store.build()
    body = [{"type": "builds", "id": build.id}, {"type": "builds", "id": "gone"}]
    store.send("POST", f"/v1/betaGroups/{store.group('Friends')}/relationships/builds", body, 404)
    assert store.get(f"/v1/betaGroups/{store.group('Friends')}/builds")["data"] == []


def test_what_to_test_is_written_once_for_each_language(store: Client) -> None:
    build = store.build()
    related = ("builds", build.id)
    notes = store.post("betaBuildLocalizations", {"locale": "en-US", "whatsNew": "Sign in."}, build=related)
    refused = store.post("betaBuildLocalizations", {"locale": "en-US", "whatsNew": "x"}, 409, build=related)
    assert (refused["code"], refused["detail"]) == (
        "ENTITY_ERROR.ATTRIBUTE.INVALID",
        "There is an entity with same 'locale'.",
    )
    store.patch("betaBuildLocalizations", notes["id"], {"whatsNew": "Sign out."})
    store.patch("betaBuildLocalizations", notes["id"], {"whatsNew": "x" * 4001}, 409)
    [found] = store.get("/v1/betaBuildLocalizations", **{"filter[build]": build.id})["data"]
    assert found["attributes"] == {"locale": "en-US", "whatsNew": "Sign out."}


def test_a_build_expires_after_ninety_days_or_by_hand(store: Client) -> None:
    one, other = store.build("1.0.1", "7"), store.build("1.0.1", "8")
    store.patch("builds", other.id, {"expired": True})
    store.patch("builds", other.id, {"expired": False}, 409)
    assert store.beta_states(other.id) == ("EXPIRED", "EXPIRED")
    assert add(store, "Friends", other.id, 422)["code"] == "ENTITY_UNPROCESSABLE"
    assert store.beta_states(one.id)[0] == "IN_BETA_TESTING"
    store.account.skip(90 * 86_400)
    assert store.get(f"/v1/builds/{one.id}")["data"]["attributes"]["expired"] is True
