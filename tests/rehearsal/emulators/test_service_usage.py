"""Which APIs a project has enabled, and how much CPU Cloud Run may give it, held against Google's own descriptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from rehearsal import definition
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.google.access import project_number
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.service_usage.app import ServiceUsage
from rehearsal.emulators.service_usage.declaration import EMULATOR, GRANTED_CPU, enabled
from tests.rehearsal.emulators.contexts import composed, context
from tests.rehearsal.emulators.in_process import InProcess
from tests.rehearsal.example_manifest import MANIFEST, with_apps

PROJECT = "acme-production"
QUOTAS = f"/v1beta1/projects/{PROJECT}/services/run.googleapis.com/consumerQuotaMetrics"


class Account:
    """An emulator behind its contracts; a violation of one is an answer 400 or 500."""

    def __init__(self, **options: Any) -> None:
        self.emulator = ServiceUsage(**options)
        self.violations: list[Violation] = []
        app: ASGIApp = self.emulator.app
        for name in ServiceUsage.contract:
            app = Checked(app, load(name), self.violations)
        self.client = InProcess(app)

    def get(self, path: str, **params: str) -> Any:
        return self._asked(path, 200, params)

    def refused(self, path: str, status: int, **params: str) -> Any:
        return self._asked(path, status, params)["error"]

    def _asked(self, path: str, status: int, params: dict[str, str]) -> Any:
        answer = self.client.get(path, params=params, headers={"Authorization": "Bearer token"})
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def account() -> Account:
    made = Account()
    made.emulator.usage.enable(PROJECT, "run.googleapis.com", "sts.googleapis.com")
    return made


def limits(account: Account, **params: str) -> dict[str, int]:
    """Region (empty for all others) -> milli vCPU."""
    [metric] = account.get(QUOTAS, **params)["metrics"]
    [limit] = metric["consumerQuotaLimits"]
    assert metric["metric"] == "run.googleapis.com/cpu_allocation"
    return {each.get("dimensions", {}).get("region", ""): int(each["effectiveLimit"]) for each in limit["quotaBuckets"]}


def test_enabled_services_are_listed_by_the_number_of_the_project(account: Account) -> None:
    listed = account.get(f"/v1/projects/{PROJECT}/services", filter="state:ENABLED")["services"]
    number = project_number(PROJECT)
    assert [each["name"] for each in listed] == [
        f"projects/{number}/services/run.googleapis.com",
        f"projects/{number}/services/sts.googleapis.com",
    ]
    assert account.get(f"/v1/projects/{number}/services", filter="state:ENABLED")["services"] == listed
    others = account.get(f"/v1/projects/{PROJECT}/services", filter="state:DISABLED")["services"]
    assert {each["state"] for each in others} == {"DISABLED"}


def test_a_list_comes_in_pages(account: Account) -> None:
    path, params = f"/v1/projects/{PROJECT}/services", {"filter": "state:ENABLED", "pageSize": "1"}
    first = account.get(path, **params)
    second = account.get(path, **params, pageToken=first["nextPageToken"])
    assert [each["config"]["name"] for each in (*first["services"], *second["services"])] == [
        "run.googleapis.com",
        "sts.googleapis.com",
    ]
    assert "nextPageToken" not in second


def test_a_service_is_disabled_and_enabled_again(account: Account) -> None:
    path = f"/v1/projects/{PROJECT}/services/run.googleapis.com"
    assert account.get(path)["state"] == "ENABLED"
    account.emulator.control.disable(PROJECT, "run.googleapis.com")
    assert account.get(path)["state"] == "DISABLED"
    account.emulator.control.enable(PROJECT, "run.googleapis.com")
    assert account.get(path)["state"] == "ENABLED"
    refused = account.refused(f"/v1/projects/{PROJECT}/services/none.googleapis.com", 403)
    assert refused["status"] == "PERMISSION_DENIED"
    with pytest.raises(GoogleError, match="none"):
        account.emulator.usage.enable(PROJECT, "none.googleapis.com")


def test_a_new_project_has_twenty_cpus_in_each_region_until_it_is_granted_more(account: Account) -> None:
    assert limits(account) == {"": 20_000}
    account.emulator.control.grant_cpu(PROJECT, "europe-west1", 50_000)
    assert limits(account) == {"": 20_000, "europe-west1": 50_000}
    whole = limits(account, view="FULL")
    assert whole["europe-west1"] == 50_000
    assert whole["us-central1"] == 20_000


def test_a_service_without_quotas_has_no_metrics(account: Account) -> None:
    path = f"/v1beta1/projects/{PROJECT}/services/sts.googleapis.com/consumerQuotaMetrics"
    assert account.get(path) == {}


def test_who_may_not_ask_learns_nothing_of_the_project() -> None:
    def refuses(_token: str | None, permission: str, resource: str, /) -> str:
        raise GoogleError("PERMISSION_DENIED", f"{permission} on {resource}")

    account = Account(authorise=refuses)
    account.emulator.usage.enable(PROJECT)
    for path, permission in ((f"/v1/projects/{PROJECT}/services", "services.list"), (QUOTAS, "quotas.get")):
        message = account.refused(path, 403)["message"]
        assert message == f"serviceusage.{permission} on projects/{PROJECT}"


def test_a_project_that_is_not_there_is_refused(account: Account) -> None:
    assert account.refused("/v1/projects/nobodys/services", 403)["status"] == "PERMISSION_DENIED"
    assert account.refused(f"/v1/projects/{PROJECT}/services", 400, filter="name:x")["status"] == "INVALID_ARGUMENT"


def test_a_world_has_what_a_platform_team_enables_once(tmp_path: Path) -> None:
    found = enabled(with_apps(definition.of(MANIFEST)))
    assert {"run.googleapis.com", "secretmanager.googleapis.com"} <= set(found[PROJECT])
    assert "artifactregistry.googleapis.com" in found["acme-delivery"]
    assert "androidpublisher.googleapis.com" in found["acme-delivery"]
    emulator = composed(tmp_path)["service-usage"]
    assert isinstance(emulator, ServiceUsage)
    EMULATOR.seed(emulator, context(EMULATOR, tmp_path, MANIFEST, secrets={}))
    project = emulator.usage.project(PROJECT)
    assert project.cpu_limit("europe-west1") == GRANTED_CPU
    assert json.loads(json.dumps(emulator.save())) == emulator.save()
