"""Repositories of Artifact Registry and who may read them, held against Google's description; and that a pull goes by the same."""

from __future__ import annotations

from typing import Any

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.google.access import repository_name, run_service_agent
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.google_auth.roles import REGISTRY_READER
from rehearsal.emulators.registry.app import ArtifactRegistry
from tests.rehearsal.emulators.in_process import InProcess

REPOSITORY = "projects/acme-delivery/locations/europe-west1/repositories/shop"
AGENT = run_service_agent("acme-production")
READER = ServiceAccount(email=AGENT, roles={REPOSITORY: frozenset({REGISTRY_READER})})
POLICY = Policy(
    provider="projects/1/locations/global/workloadIdentityPools/p/providers/x",
    issuer="https://issuer.test",
    accounts=(READER,),
)


def asked(path: str, status: int = 200) -> Any:
    emulator = ArtifactRegistry(POLICY.iam_policy)
    emulator.repositories.add(REPOSITORY)
    answer = InProcess(Checked(emulator.app, load("artifactregistry"), list[Violation]())).get(f"/v1/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_repository_and_its_policy() -> None:
    assert asked(REPOSITORY)["name"] == REPOSITORY
    assert asked(f"{REPOSITORY}:getIamPolicy")["bindings"] == [
        {"role": REGISTRY_READER, "members": [f"serviceAccount:{AGENT}"]}
    ]
    for path in (f"{REPOSITORY}x", f"{REPOSITORY}x:getIamPolicy"):
        assert asked(path, 404)["error"]["status"] == "NOT_FOUND"


def test_a_role_on_a_repository_is_for_that_one_alone() -> None:
    pull = "artifactregistry.repositories.downloadArtifacts"
    assert repository_name("europe-west1-docker.pkg.dev", "acme-delivery/shop/api") == REPOSITORY
    assert READER.may(pull, REPOSITORY)
    assert not READER.may(pull, repository_name("europe-west1-docker.pkg.dev", "acme-delivery/other/api"))
    assert not READER.may(pull, repository_name("us-docker.pkg.dev", "acme-delivery/shop/api"))
    assert not READER.may("artifactregistry.repositories.uploadArtifacts", REPOSITORY)
