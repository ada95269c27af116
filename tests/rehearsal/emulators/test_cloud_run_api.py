"""The Cloud Run Admin API, driven by Google's own client and held against Google's own description."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.cloud_run.app import CloudRun
from rehearsal.emulators.cloud_run.images import WorldRegistry
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.registry.app import Registry
from tests.rehearsal.emulators.images_of_apps import HOST, put_server
from tests.rehearsal.emulators.in_process import InProcess, served

pytestmark = pytest.mark.world

PARENT = "projects/techmate-staging/locations/europe-west1"
API = f"{PARENT}/services/api"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"


class Client:
    """Google's discovery client, waiting for operations."""

    def __init__(self, url: str, registry: Registry, run: CloudRun) -> None:
        self.registry = registry
        self.run = run
        self._api = build(
            "run", "v2", credentials=AnonymousCredentials(), client_options={"api_endpoint": url}, cache_discovery=False
        )
        self.locations = self._api.projects().locations()
        self.services = self.locations.services()
        self.revisions = self.services.revisions()
        self.operations = self.locations.operations()

    def close(self) -> None:
        self._api.close()

    def image(self, version: str) -> str:
        return put_server(self.registry.repositories, version)

    def done(self, operation: dict[str, Any]) -> dict[str, Any]:
        for _ in range(20):
            if operation.get("done"):
                assert "error" not in operation, operation
                return operation
            operation = self.operations.wait(name=operation["name"], body={"timeout": "5s"}).execute()
        raise AssertionError(f"{operation['name']} never ends")

    def create(self, version: str = "v1", **more: Any) -> dict[str, Any]:
        body = {"template": template(self.image(version), **more)}
        return self.done(self.services.create(parent=PARENT, serviceId="api", body=body).execute())

    def patch(self, body: dict[str, Any], **options: Any) -> dict[str, Any]:
        return self.done(self.services.patch(name=API, body=body, **options).execute())

    def get(self) -> dict[str, Any]:
        return dict(self.services.get(name=API).execute())


def template(image: str, **more: Any) -> dict[str, Any]:
    return {"containers": [{"image": image}], **more}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    registry = Registry(tmp_path / "registry")
    run = CloudRun(tmp_path / "run", WorldRegistry(registry.repositories, (HOST,)), retire_after=0.05, seed=7)
    violations: list[Violation] = []
    with served(Checked(run.app, load("run"), violations), run.stop) as url:
        client = Client(url, registry, run)
        yield client
        client.close()
    assert [violation.text for violation in violations] == []


def refused(call: Any) -> tuple[int, str, str]:
    """HTTP status, Google's word for it, and the message."""
    with pytest.raises(HttpError) as caught:
        call.execute()
    error = json.loads(caught.value.content)["error"]
    return int(caught.value.resp.status), error["status"], error["message"]


def test_a_service_is_created_and_shows_what_cloud_run_shows(client: Client) -> None:
    ended = client.create(labels={"commit": "abc"}, annotations={"run": "1"})
    assert ended["response"]["@type"].endswith("google.cloud.run.v2.Service")
    service = client.get()
    assert service["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"
    assert service["observedGeneration"] == service["generation"] == "1"
    assert "reconciling" not in service
    assert service["uri"].startswith("https://api-")
    assert service["uri"].endswith("-ew.a.run.app")
    assert service["traffic"] == [{"type": LATEST, "percent": 100}]
    (revision,) = client.revisions.list(parent=API).execute()["revisions"]
    assert revision["name"] == service["latestReadyRevision"] == service["latestCreatedRevision"]
    assert service["trafficStatuses"] == [
        {"type": LATEST, "revision": revision["name"].rsplit("/", 1)[1], "percent": 100}
    ]
    assert (revision["labels"], revision["annotations"]) == ({"commit": "abc"}, {"run": "1"})
    assert revision["maxInstanceRequestConcurrency"] == 80
    assert client.revisions.get(name=revision["name"]).execute() == revision
    assert [s["name"] for s in client.services.list(parent=PARENT).execute()["services"]] == [API]


def test_a_change_is_an_operation_that_takes_a_moment(client: Client) -> None:
    body = {"template": template(client.image("v1"))}
    started = client.services.create(parent=PARENT, serviceId="api", body=body).execute()
    assert "done" not in started
    assert started["metadata"]["reconciling"] is True
    assert client.operations.get(name=started["name"]).execute()["name"] == started["name"]
    client.done(started)
    (listed,) = client.operations.list(name=PARENT).execute()["operations"]
    assert (listed["name"], listed["done"]) == (started["name"], True)
    client.operations.delete(name=started["name"]).execute()
    assert refused(client.operations.get(name=started["name"]))[:2] == (404, "NOT_FOUND")


def test_a_stale_etag_is_a_conflict(client: Client) -> None:
    client.create()
    stale = client.get()["etag"]
    client.patch({"labels": {"a": "1"}, "etag": stale}, updateMask="labels")
    call = client.services.patch(name=API, updateMask="labels", body={"labels": {}, "etag": stale})
    assert refused(call)[:2] == (409, "ABORTED")
    assert refused(client.services.delete(name=API, etag=stale))[:2] == (409, "ABORTED")
    assert client.get()["labels"] == {"a": "1"}


def test_the_mask_says_what_changes(client: Client) -> None:
    client.create()
    before = client.get()
    client.patch({"description": "new", "labels": {"ignored": "yes"}}, updateMask="description")
    after = client.get()
    assert after["description"] == "new"
    assert "labels" not in after
    assert after["latestCreatedRevision"] == before["latestCreatedRevision"]
    client.patch(
        {"template": {"scaling": {"minInstanceCount": 2, "maxInstanceCount": 50}}}, updateMask="template.scaling"
    )
    changed = client.get()
    assert changed["template"]["scaling"] == {"minInstanceCount": 2, "maxInstanceCount": 50}
    assert changed["template"]["containers"] == before["template"]["containers"]
    assert changed["latestCreatedRevision"] != before["latestCreatedRevision"]
    client.patch({}, updateMask="description")
    assert "description" not in client.get()
    call = client.services.patch(name=API, updateMask="uid", body={})
    assert refused(call)[:2] == (400, "INVALID_ARGUMENT")


def test_service_scaling_is_kept_and_makes_no_revision(client: Client) -> None:
    client.create()
    before = client.get()["latestCreatedRevision"]
    client.patch({"scaling": {"minInstanceCount": 2, "maxInstanceCount": 50}}, updateMask="scaling")
    assert client.get()["scaling"] == {"minInstanceCount": 2, "maxInstanceCount": 50}
    assert client.get()["latestCreatedRevision"] == before


def test_names_of_revisions_are_used_once(client: Client) -> None:
    client.create(revision="api-one")
    image = client.image("v2")
    call = client.services.patch(
        name=API, updateMask="template", body={"template": template(image, revision="api-one")}
    )
    assert refused(call)[:2] == (409, "ALREADY_EXISTS")
    wrong = client.services.patch(
        name=API, updateMask="template", body={"template": template(image, revision="other-1")}
    )
    assert refused(wrong)[:2] == (400, "INVALID_ARGUMENT")
    client.patch({"template": template(client.image("v1"), revision="api-one")}, updateMask="template")
    assert client.get()["generation"] == "2"
    assert len(client.revisions.list(parent=API).execute()["revisions"]) == 1
    client.patch({"template": template(image, revision="api-two")}, updateMask="template", forceNewRevision=True)
    assert client.get()["latestReadyRevision"] == f"{API}/revisions/api-two"


def test_validate_only_changes_nothing(client: Client) -> None:
    body = {"template": template(client.image("v1"))}
    dry = client.services.create(parent=PARENT, serviceId="api", body=body, validateOnly=True).execute()
    assert dry["done"] is True
    assert refused(client.services.get(name=API))[:2] == (404, "NOT_FOUND")
    client.create()
    before = client.get()
    client.patch({"description": "new"}, updateMask="description", validateOnly=True)
    assert client.get() == before


def test_allow_missing_creates(client: Client) -> None:
    body = {"template": template(client.image("v1"))}
    assert refused(client.services.patch(name=API, body=body))[:2] == (404, "NOT_FOUND")
    client.patch(body, allowMissing=True)
    assert client.get()["generation"] == "1"
    again = client.services.create(parent=PARENT, serviceId="api", body=body)
    assert refused(again)[:2] == (409, "ALREADY_EXISTS")


def test_revisions_in_use_are_not_deleted(client: Client) -> None:
    client.create(revision="api-one")
    client.patch({"template": template(client.image("v2"), revision="api-two")}, updateMask="template")
    assert refused(client.revisions.delete(name=f"{API}/revisions/api-two"))[:2] == (400, "FAILED_PRECONDITION")
    client.done(client.revisions.delete(name=f"{API}/revisions/api-one").execute())
    assert refused(client.revisions.get(name=f"{API}/revisions/api-one"))[:2] == (404, "NOT_FOUND")
    client.done(client.services.delete(name=API).execute())
    assert refused(client.services.get(name=API))[:2] == (404, "NOT_FOUND")
    assert client.run.services.all() == []


PROBE = {"httpGet": {"path": "/"}, "periodSeconds": 5}
CONTAINER_ERRORS = [
    ({"env": [{"name": "PORT", "value": "1"}]}, "reserved"),
    ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "twice"),
    ({"env": [{"name": "A", "valueSource": {"secretKeyRef": {"secret": "s"}}}]}, "secret and version"),
    ({"startupProbe": {"periodSeconds": 5}}, "exactly one"),
    ({"startupProbe": {**PROBE, "timeoutSeconds": 6}}, "longer than periodSeconds"),
    ({"startupProbe": {**PROBE, "periodSeconds": 0}}, "periodSeconds"),
    ({"livenessProbe": {"tcpSocket": {}}}, "startup probes only"),
    ({"image": ""}, "image"),
]
SERVICE_ERRORS = [
    ({"template": {"containers": []}}, "template"),
    ({"template": {"scaling": {"minInstanceCount": 5, "maxInstanceCount": 2}}}, "minInstanceCount"),
    ({"template": {"timeout": "2h"}}, "timeout"),
    ({"template": {"maxInstanceRequestConcurrency": 2000}}, "maxInstanceRequestConcurrency"),
    ({"traffic": [{"type": LATEST, "percent": 90}]}, "90"),
    ({"traffic": [{"type": REVISION, "percent": 100}]}, "traffic.revision"),
    ({"traffic": [{"type": REVISION, "revision": "api-none", "percent": 100}]}, "api-none"),
    ({"traffic": [{"type": LATEST, "percent": 100, "tag": "Bad"}]}, "tag"),
    ({"traffic": [{"type": LATEST, "percent": 100, "tag": "a"}, {"type": LATEST, "tag": "a"}]}, "twice"),
    ({"traffic": [{"type": LATEST, "percent": 100, "tag": "a" * 60}]}, "longer than 63"),
]
ERRORS = [
    *(({"template": {"containers": [{"image": "x", **change}]}}, message) for change, message in CONTAINER_ERRORS),
    *SERVICE_ERRORS,
]


def test_bad_services_are_refused_with_the_field(client: Client) -> None:
    image = client.image("v1")
    for (change, text), number in zip(ERRORS, itertools.count()):
        body = {**change, "template": {**template(image), **change.get("template", {})}}
        call = client.services.create(parent=PARENT, serviceId="api", body=body)
        code, status, message = refused(call)
        assert (code, status) == (400, "INVALID_ARGUMENT"), (number, message)
        assert text in message
    bad_id = client.services.create(parent=PARENT, serviceId="Api", body={"template": template(image)})
    assert refused(bad_id)[:2] == (400, "INVALID_ARGUMENT")
    assert client.services.list(parent=PARENT).execute() == {"services": []}


def test_what_is_not_supported_says_so(client: Client) -> None:
    image = client.image("v1")
    for change in ({"containers": [{"image": image}, {"image": image}]}, {"volumes": [{"name": "v"}]}):
        body = {"template": {**template(image), **change}}
        assert refused(client.services.create(parent=PARENT, serviceId="api", body=body))[:2] == (501, "UNIMPLEMENTED")


def test_permissions_are_asked_for_on_the_resource(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def authorise(token: str | None, permission: str, resource: str, /) -> str:
        asked.append((permission, resource))
        if token is None:
            raise GoogleError("UNAUTHENTICATED", "no token")
        if permission == "iam.serviceAccounts.actAs":
            raise GoogleError("PERMISSION_DENIED", "may not act as it")
        return "deploy@techmate-staging"

    registry = Registry(tmp_path / "registry")
    run = CloudRun(tmp_path / "run", WorldRegistry(registry.repositories, (HOST,)), authorise=authorise)
    http = InProcess(run.app)
    assert http.get(f"/v2/{API}").status_code == 401
    headers = {"Authorization": "Bearer t"}
    assert http.get(f"/v2/{API}", headers=headers).status_code == 404
    account = "run@techmate-staging.iam.gserviceaccount.com"
    body = {"template": template("x", serviceAccount=account)}
    denied = http.post(f"/v2/{PARENT}/services?serviceId=api", headers=headers, json=body)
    assert (denied.status_code, denied.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert asked == [
        ("run.services.get", API),
        ("run.services.get", API),
        ("run.services.create", f"{PARENT}/services"),
        ("iam.serviceAccounts.actAs", f"projects/techmate-staging/serviceAccounts/{account}"),
    ]


def test_hosts_differ_by_project_and_tag() -> None:
    staging = ServiceName("techmate-staging", "europe-west1", "api")
    production = ServiceName("techmate-production", "europe-west1", "api")
    assert staging.host() != production.host()
    assert staging.host("cand") == f"cand---{staging.host()}"
    assert ServiceName.parse(str(staging)) == staging
    with pytest.raises(ValueError, match="projects/P"):
        ServiceName.parse("api")
