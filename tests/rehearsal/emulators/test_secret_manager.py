"""Secret Manager: what the API promises about versions, checksums, etags and access."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.secret_manager.app import SecretManager
from rehearsal.emulators.secret_manager.checksum import crc32c
from tests.rehearsal.emulators.in_process import InProcess

SECRETS = "/v1/projects/techmate-staging/secrets"


@pytest.fixture
def manager() -> SecretManager:
    return SecretManager()


@pytest.fixture
def client(manager: SecretManager) -> Iterator[InProcess]:
    violations: list[Violation] = []
    yield InProcess(Checked(manager.app, load("secretmanager"), violations))
    assert [violation.text for violation in violations] == []


def encoded(data: bytes) -> dict[str, Any]:
    return {"payload": {"data": base64.b64encode(data).decode(), "dataCrc32c": str(crc32c(data))}}


def created(client: InProcess, name: str = "db-url") -> dict[str, Any]:
    answer = client.post(
        SECRETS, params={"secretId": name}, json={"replication": {"automatic": {}}, "labels": {"a": "b"}}
    )
    assert answer.status_code == 200
    return dict(answer.json())


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["status"]


def test_crc32c_matches_the_rfc_vectors() -> None:
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_versions_are_numbered_and_latest_is_the_newest(client: InProcess) -> None:
    created(client)
    for data in (b"one", b"two"):
        assert client.post(f"{SECRETS}/db-url:addVersion", json=encoded(data)).json()["state"] == "ENABLED"
    latest = client.get(f"{SECRETS}/db-url/versions/latest:access").json()
    assert latest["name"].endswith("/versions/2")
    assert base64.b64decode(latest["payload"]["data"]) == b"two"
    assert latest["payload"]["dataCrc32c"] == str(crc32c(b"two"))
    pinned = client.get(f"{SECRETS}/db-url/versions/1:access").json()
    assert base64.b64decode(pinned["payload"]["data"]) == b"one"


def test_a_wrong_checksum_stores_nothing(client: InProcess) -> None:
    created(client)
    body = encoded(b"one")
    body["payload"]["dataCrc32c"] = "1"
    assert error(client.post(f"{SECRETS}/db-url:addVersion", json=body)) == (400, "INVALID_ARGUMENT")
    assert client.get(f"{SECRETS}/db-url/versions").json()["versions"] == []


def test_disabled_versions_give_no_payload_and_destroyed_ones_never_again(client: InProcess) -> None:
    created(client)
    client.post(f"{SECRETS}/db-url:addVersion", json=encoded(b"one"))
    version = f"{SECRETS}/db-url/versions/1"
    assert client.post(f"{version}:disable", json={}).json()["state"] == "DISABLED"
    assert error(client.get(f"{version}:access")) == (400, "FAILED_PRECONDITION")
    assert client.post(f"{version}:enable", json={}).json()["state"] == "ENABLED"
    assert client.get(f"{version}:access").status_code == 200
    assert "destroyTime" in client.post(f"{version}:destroy", json={}).json()
    assert error(client.post(f"{version}:enable", json={})) == (400, "FAILED_PRECONDITION")
    assert error(client.get(f"{version}:access")) == (400, "FAILED_PRECONDITION")


def test_stale_etags_abort(client: InProcess) -> None:
    secret = created(client)
    client.post(f"{SECRETS}/db-url:addVersion", json=encoded(b"one"))
    stale = client.get(f"{SECRETS}/db-url/versions/1").json()["etag"]
    client.post(f"{SECRETS}/db-url/versions/1:disable", json={"etag": stale})
    assert error(client.post(f"{SECRETS}/db-url/versions/1:enable", json={"etag": stale})) == (409, "ABORTED")
    changed = client.patch(f"{SECRETS}/db-url", params={"updateMask": "labels"}, json={"labels": {"c": "d"}}).json()
    assert changed["labels"] == {"c": "d"}
    assert error(client.delete(f"{SECRETS}/db-url", params={"etag": secret["etag"]})) == (409, "ABORTED")
    assert client.delete(f"{SECRETS}/db-url", params={"etag": changed["etag"]}).json() == {}
    assert error(client.get(f"{SECRETS}/db-url")) == (404, "NOT_FOUND")


def test_lists_are_paged_and_filtered(client: InProcess) -> None:
    created(client)
    for number in range(3):
        client.post(f"{SECRETS}/db-url:addVersion", json=encoded(b"%d" % number))
    client.post(f"{SECRETS}/db-url/versions/2:disable", json={})
    enabled = client.get(f"{SECRETS}/db-url/versions", params={"filter": "state:ENABLED"}).json()
    assert [v["name"].rsplit("/", 1)[1] for v in enabled["versions"]] == ["3", "1"]
    first = client.get(f"{SECRETS}/db-url/versions", params={"pageSize": "2"}).json()
    rest = client.get(f"{SECRETS}/db-url/versions", params={"pageToken": first["nextPageToken"]}).json()
    assert (len(first["versions"]), len(rest["versions"]), "nextPageToken" in rest) == (2, 1, False)


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", f"{SECRETS}?secretId=bad name", {"replication": {"automatic": {}}}, (400, "INVALID_ARGUMENT")),
        ("POST", f"{SECRETS}?secretId=x", {}, (400, "INVALID_ARGUMENT")),
        ("POST", f"{SECRETS}?secretId=db-url", {"replication": {"automatic": {}}}, (409, "ALREADY_EXISTS")),
        ("POST", f"{SECRETS}/db-url:addVersion", {"payload": {"data": "***"}}, (400, "INVALID_ARGUMENT")),
        ("GET", f"{SECRETS}/db-url/versions/7:access", None, (404, "NOT_FOUND")),
        ("GET", f"{SECRETS}/none/versions/1:access", None, (404, "NOT_FOUND")),
        ("PATCH", f"{SECRETS}/db-url?updateMask=name", {}, (400, "INVALID_ARGUMENT")),
    ],
)
def test_bad_requests(client: InProcess, method: str, path: str, body: Any, expected: tuple[int, str]) -> None:
    created(client)
    assert error(client.request(method, path, json=body)) == expected


def test_the_authoriser_is_asked_for_the_permission_on_the_secret() -> None:
    asked: list[tuple[str | None, str, str]] = []

    def deny(token: str | None, permission: str, resource: str, /) -> str:
        asked.append((token, permission, resource))
        raise GoogleError("PERMISSION_DENIED", "no")

    client = InProcess(SecretManager(authorise=deny).app)
    answer = client.get(f"{SECRETS}/db-url/versions/1:access", headers={"Authorization": "Bearer t"})
    assert error(answer) == (403, "PERMISSION_DENIED")
    assert asked == [("t", "secretmanager.versions.access", "projects/techmate-staging/secrets/db-url")]


def test_workloads_read_with_their_own_account(manager: SecretManager) -> None:
    manager.secrets.put("techmate-staging", "db-url", b"one")
    guarded = SecretManager(allows=lambda account, _permission, _resource: account == "run@x")
    guarded.load(json.loads(json.dumps(manager.save())))
    name = "projects/techmate-staging/secrets/db-url"
    assert guarded.read("run@x", name, "latest") == b"one"
    with pytest.raises(PermissionError, match=r"secretmanager\.versions\.access"):
        guarded.read("other@x", name, "1")
    with pytest.raises(LookupError, match="versions/2"):
        guarded.read("run@x", name, "2")
