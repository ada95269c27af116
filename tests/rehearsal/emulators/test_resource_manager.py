"""Projects, folders and the policies on them, held against Google's description."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.google.access import project_number
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.resource_manager.app import ResourceManager
from tests.rehearsal.emulators.in_process import InProcess

PROJECT, DEPLOYER = "acme-production", "deployer@acme-production.iam.gserviceaccount.com"
BINDING: dict[str, Any] = {"role": "roles/run.developer", "members": [f"serviceAccount:{DEPLOYER}"]}
POLICY = Policy(
    provider="projects/1/locations/global/workloadIdentityPools/p/providers/x",
    issuer="https://issuer.test",
    accounts=(
        ServiceAccount(
            email=DEPLOYER,
            roles={f"projects/{PROJECT}": frozenset({BINDING["role"]}), "folders/7": frozenset({"roles/viewer"})},
        ),
    ),
)


class Organisation:
    def __init__(self, **options: Any) -> None:
        self.emulator = ResourceManager(POLICY.iam_policy, **options)
        self.emulator.hierarchy.add(PROJECT, "folders/7")
        self.emulator.hierarchy.add_folder("folders/7", "organizations/1")
        self.client = InProcess(Checked(self.emulator.app, load("cloudresourcemanager"), list[Violation]()))

    def ask(self, method: str, path: str, status: int = 200) -> Any:
        answer = self.client.request(method, path, json={} if method == "POST" else None)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.mark.parametrize("asked", [PROJECT, project_number(PROJECT)])
def test_a_project_is_read_by_id_and_by_number(asked: str) -> None:
    found = Organisation().ask("GET", f"/v3/projects/{asked}")
    assert (found["name"], found["projectId"]) == (f"projects/{project_number(PROJECT)}", PROJECT)
    assert (found["parent"], found["state"]) == ("folders/7", "ACTIVE")


def test_a_policy_shows_what_was_bound_there_and_not_above() -> None:
    organisation = Organisation()
    assert organisation.ask("POST", f"/v3/projects/{PROJECT}:getIamPolicy")["bindings"] == [BINDING]
    above = organisation.ask("POST", "/v3/folders/7:getIamPolicy")["bindings"]
    assert above == [{"role": "roles/viewer", "members": BINDING["members"]}]
    assert "bindings" not in organisation.ask("POST", "/v3/organizations/1:getIamPolicy")
    assert organisation.ask("GET", "/v3/folders/7")["parent"] == "organizations/1"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "projects/other"), ("POST", "projects/other:getIamPolicy"), ("GET", "folders/9")],
)
def test_what_is_not_there_looks_as_what_may_not_be_read(method: str, path: str) -> None:
    assert Organisation().ask(method, f"/v3/{path}", 403)["error"]["status"] == "PERMISSION_DENIED"


def test_every_question_needs_its_permission() -> None:
    asked: list[tuple[str, str]] = []

    def refuses(_token: str | None, permission: str, resource: str, /) -> str:
        asked.append((permission, resource))
        raise GoogleError("PERMISSION_DENIED", permission)

    organisation = Organisation(authorise=refuses)
    for method, path in (
        ("GET", f"projects/{PROJECT}"), ("POST", f"projects/{PROJECT}:getIamPolicy"),
        ("GET", "folders/7"), ("POST", "folders/7:getIamPolicy"),
    ):  # fmt: skip
        organisation.ask(method, f"/v3/{path}", 403)
    assert asked == [
        ("resourcemanager.projects.get", f"projects/{PROJECT}"),
        ("resourcemanager.projects.getIamPolicy", f"projects/{PROJECT}"),
        ("resourcemanager.folders.get", "folders/7"),
        ("resourcemanager.folders.getIamPolicy", "folders/7"),
    ]
