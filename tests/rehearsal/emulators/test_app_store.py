"""Documents, the emulator in its world, and what it saves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from httpx import Response
from starlette.applications import Starlette
from starlette.routing import Route

from rehearsal.contracts.contract import load
from rehearsal.control import emulator_route
from rehearsal.emulators.app_store.access import LONGEST_LIFE
from rehearsal.emulators.app_store.app import AppStore
from rehearsal.emulators.app_store.declaration import EMULATOR
from rehearsal.emulators.app_store.model import Pace
from rehearsal.emulators.app_store.storage import FOLDER
from tests.rehearsal.emulators.app_store_client import APP, PACE, UNTIL_TESTING, Client, app_store_client, ipa
from tests.rehearsal.emulators.contexts import context, platform
from tests.rehearsal.emulators.in_process import InProcess

MOBILE = {
    "ios": {
        "bundle": "ai.techmate.sample",
        "app": "1234567890",
        "issuer": "57246542-96fe-1a63-e053-0824d011072a",
        "key": "ABCDEFGHIJ",
        "groups": {"internal": ["Team"], "external": ["Friends", "Press"]},
    }
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Client]:
    with app_store_client(tmp_path) as client:
        yield client


def control(store: Client, do: str, **more: Any) -> int:
    return controlled(store, do, more).status_code


def controlled(store: Client, do: str, arguments: dict[str, Any]) -> Response:
    port = Starlette(routes=[emulator_route("app-store", store.app_store.control)])
    return InProcess(port).post(f"/_control/app-store/{do}", json=arguments)


# documents --------------------------------------------------------------------------------------------------------------


def test_every_path_of_the_api_is_apples(store: Client) -> None:
    app: Any = store.app_store.app
    served = [
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route) and not route.path.startswith(FOLDER)
        for method in (route.methods or set()) - {"HEAD"}
    ]
    assert len(served) > 70
    assert [one for one in served if one not in load("app-store").paths()] == []


def test_lists_come_in_pages_that_lead_to_each_other(store: Client) -> None:
    for number in range(1, 6):
        store.build(number=str(number))
    path, params, seen = "/v1/builds", {"limit": "2", "filter[app]": APP, "sort": "-version"}, []
    page = store.get(path, **params)
    assert page["meta"]["paging"]["total"] == 5
    while True:
        seen += [one["attributes"]["version"] for one in page["data"]]
        following = page["links"].get("next")
        if following is None:
            break
        page = store.get(following.removeprefix("https://api.appstoreconnect.apple.com"))
    assert seen == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize("limit", ["0", "201", "x"])
def test_a_page_has_one_to_two_hundred(store: Client, limit: str) -> None:
    # Not through the description, which knows no bounds.
    client = InProcess(store.app_store.app)
    answer = client.get(f"/v1/apps?limit={limit}", headers={"Authorization": f"Bearer {store.token()}"})
    assert (answer.status_code, answer.json()["errors"][0]["source"]) == (400, {"parameter": "limit"})
    answer = client.get("/v1/apps?cursor=!", headers={"Authorization": f"Bearer {store.token()}"})
    assert answer.json()["errors"][0]["code"] == "PARAMETER_ERROR.INVALID"


@pytest.mark.parametrize(
    ("params", "numbers"),
    [
        ({"filter[version]": "9,10"}, ["10", "9"]),
        ({"filter[preReleaseVersion.version]": "1.1.0"}, ["2"]),
        ({"filter[preReleaseVersion.platform]": "IOS", "filter[version]": "2"}, ["2"]),
        ({"filter[expired]": "true"}, []),
        ({"sort": "version"}, ["2", "9", "10"]),
        ({"sort": "-uploadedDate"}, ["2", "10", "9"]),
        ({"sort": "-preReleaseVersion,version"}, ["2", "9", "10"]),
        ({"filter[processingState]": "PROCESSING"}, []),
        ({"filter[usesNonExemptEncryption]": "false", "filter[app]": "1"}, []),
    ],
)
def test_builds_are_filtered_and_ordered(store: Client, params: dict[str, str], numbers: list[str]) -> None:
    for version, number in (("1.0.1", "9"), ("1.0.1", "10"), ("1.1.0", "2")):
        store.build(version, number)
    found = [one["attributes"]["version"] for one in store.get("/v1/builds", **params)["data"]]
    assert found == numbers


def test_what_is_related_is_reported_only_when_it_is_included(store: Client) -> None:
    build = store.build()
    [plain] = store.get("/v1/builds")["data"]
    assert "data" not in plain["relationships"]["preReleaseVersion"]
    assert plain["relationships"]["app"]["links"]["related"].endswith(f"/v1/builds/{build.id}/app")
    full = store.get("/v1/builds", include="preReleaseVersion,app,buildBetaDetail,buildUpload,betaGroups")
    assert {one["type"] for one in full["included"]} == {
        "preReleaseVersions", "apps", "buildBetaDetails", "buildUploads", "betaGroups",
    }  # fmt: skip
    fields = {"fields[builds]": "version,app", "fields[apps]": "bundleId", "include": "app"}
    chosen = store.get("/v1/builds", **fields)
    assert chosen["data"][0]["attributes"] == {"version": "7"}
    assert chosen["included"][0]["attributes"] == {"bundleId": "ai.techmate.app"}


def test_trains_and_ids(store: Client) -> None:
    build = store.build()
    [train] = store.get("/v1/preReleaseVersions", **{"filter[app]": APP, "include": "builds"})["data"]
    assert (train["attributes"], train["relationships"]["builds"]["data"]) == (
        {"version": "1.0.1", "platform": "IOS"},
        [{"type": "builds", "id": build.id}],
    )
    linked = store.get(f"/v1/builds/{build.id}/relationships/preReleaseVersion")["data"]
    assert linked == {"type": "preReleaseVersions", "id": train["id"]}
    assert store.get(f"/v1/betaGroups/{store.group('Team')}/relationships/builds")["data"][0]["id"] == build.id


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "PATH_ERROR"),
        ("DELETE", "/v1/betaAppReviewSubmissions", 403, "FORBIDDEN_ERROR"),
        ("GET", "/v1/builds/x", 404, "NOT_FOUND"),
    ],
)
def test_what_is_not_there(store: Client, method: str, path: str, status: int, code: str) -> None:
    answer = InProcess(store.app_store.app).request(method, path, headers={"Authorization": f"Bearer {store.token()}"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"{", 400, "ENTITY_INVALID"),
        (b'{"data": []}', 400, "ENTITY_INVALID"),
        (b'{"data": {"type": "buildUploads"}}', 409, "ENTITY_ERROR.RELATIONSHIP.REQUIRED"),
    ],
)
def test_a_body_without_what_is_needed(store: Client, sent: bytes, status: int, code: str) -> None:
    headers = {"Authorization": f"Bearer {store.token()}"}
    answer = InProcess(store.app_store.app).post("/v1/buildUploads", content=sent, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


# in a world -------------------------------------------------------------------------------------------------------------


def test_a_world_builds_it_from_the_manifest_and_its_secret(tmp_path: Path) -> None:
    secrets = EMULATOR.secrets()
    built = EMULATOR.build(context(EMULATOR, tmp_path, {"mobile": MOBILE}, secrets=secrets, time_scale=0.5))
    assert isinstance(built, AppStore)
    assert built.account.pace == Pace().scaled(0.5)
    now = int(built.account.now())
    claims = {"iss": MOBILE["ios"]["issuer"], "exp": now + LONGEST_LIFE, "aud": "appstoreconnect-v1"}
    token = jwt.encode(claims, secrets["APP_STORE_KEY"], algorithm="ES256", headers={"kid": "ABCDEFGHIJ"})
    client, headers = InProcess(built.app), {"Authorization": f"Bearer {token}"}
    [app] = client.get("/v1/apps", headers=headers).json()["data"]
    assert (app["id"], app["attributes"]["bundleId"]) == ("1234567890", "ai.techmate.sample")
    groups = client.get("/v1/betaGroups", headers=headers).json()["data"]
    assert [(one["attributes"]["name"], one["attributes"]["isInternalGroup"]) for one in groups] == [
        ("Team", True),
        ("Friends", False),
        ("Press", False),
    ]


def test_only_a_platform_with_an_app_for_ios_has_its_secret() -> None:
    assert EMULATOR.used(platform({"mobile": MOBILE}))
    assert not EMULATOR.used(platform({"mobile": {"android": {}}}))
    assert not EMULATOR.used(platform({}))


def test_a_world_makes_things_happen_there(store: Client) -> None:
    store.app_store.reset()
    assert control(store, "publish", version="1.0.0") == 204
    assert control(store, "next_upload", hidden=True) == 204
    assert control(store, "next_upload", errors=[["90382", "Upload limit reached."]]) == 204
    hidden, failed = store.deliver(version="1.1.0"), store.deliver(version="1.1.0", number="8")
    assert control(store, "skip", seconds=UNTIL_TESTING) == 204
    assert (store.upload_state(hidden)["state"], store.upload_state(failed)["state"]) == ("COMPLETE", "FAILED")
    assert control(store, "show_builds") == 204
    assert len(store.get("/v1/builds", **{"filter[preReleaseVersion.version]": "1.1.0"})["data"]) == 1
    version = store.prepare("2.0.0")
    store.submit(version)
    assert control(store, "decide", outcome="REJECTED") == 204
    assert store.store_state(version) == "REJECTED"
    assert control(store, "next_review", outcome="REJECTED") == 204
    assert control(store, "signing_expires", seconds=-1) == 204
    assert store.get("/v1/profiles")["data"][0]["attributes"]["profileState"] == "INVALID"
    assert control(store, "agreements", missing=True) == 204
    assert store.ask("GET", "/v1/apps").status_code == 403


@pytest.mark.parametrize(
    ("do", "wrong"),
    [("skip", {}), ("decide", {"outcome": "x"}), ("next_upload", {"x": 1}), ("agreements", {"lost": 1})],
)
def test_a_control_that_is_not_understood_says_so(store: Client, do: str, wrong: dict[str, Any]) -> None:
    store.submit(store.prepare())
    answer = controlled(store, do, wrong)
    assert (answer.status_code, answer.json()["message"].partition(":")[0]) == (422, do)


@pytest.mark.parametrize("do", ["other", "_account"])
def test_there_is_no_control_but_those_of_its_class(store: Client, do: str) -> None:
    assert controlled(store, do, {}).status_code == 404


def test_it_counts_the_builds_of_a_mobile_release(store: Client) -> None:
    store.build("1.0.1", "7")
    assert [store.app_store.deployments_of(name) for name in ("mobile-v1.0.1", "mobile-v1.0.2", "v1.0.1")] == [1, 0, 0]
    assert store.app_store.notifications() == []


def test_a_saved_account_comes_back_and_goes_on(store: Client, tmp_path: Path) -> None:
    store.account.publish("1.0.0")
    version = store.prepare("2.0.0")
    store.submit(version)
    store.deliver(ipa("2.0.1", "1", encryption=False), "2.0.1", "1")
    half, content = store.reserve("2.0.1", "2")["id"], ipa("2.0.1", "2")
    file = store.add_file(half, content)
    first, *others = file["attributes"]["uploadOperations"]
    store.put(first, content)
    saved = json.loads(json.dumps(store.app_store.save()))
    store.app_store.reset()
    assert store.get("/v1/builds")["data"] == []
    store.app_store.load(saved)
    assert json.loads(json.dumps(store.app_store.save()))["versions"] == saved["versions"]
    assert control(store, "decide", outcome="APPROVED") == 204
    assert store.store_state(version) == "READY_FOR_SALE"
    store.clock.forward(UNTIL_TESTING)
    assert store.get("/v1/builds", **{"filter[preReleaseVersion.version]": "2.0.1"})["meta"]["paging"]["total"] == 1
    # The bytes went with the reset: what was sent before must be sent again.
    for operation in others:
        store.put(operation, content)
    store.commit(file["id"], content, 409)
    store.put(first, content)
    store.commit(file["id"], content)
    store.clock.forward(PACE.accept)
    assert store.upload_state(half)["state"] == "COMPLETE"
