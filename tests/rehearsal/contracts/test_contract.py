from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from rehearsal.contracts.contract import Contract, load
from rehearsal.contracts.operation import Operation
from rehearsal.contracts.sources import SOURCES

REPO = "/repos/techmate/platform"
SERVICE = "/v2/projects/p/locations/europe-west1/services/api"
EDIT = "/androidpublisher/v3/applications/p/edits/e"


def operation(contract: str, method: str, path: str) -> Operation:
    found = load(contract).operation(method, path)
    assert found is not None, f"{method} {path} is not in {contract}"
    return found


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_described_operation_is_found_under_its_own_path(name: str) -> None:
    contract: Contract = load(name)
    assert len(contract.paths()) >= 5
    for method, path in contract.paths():
        found = contract.operation(method, path.replace("{", "x").replace("}", "x"))
        assert found is not None
        assert (found.method, found.path) == (method, path)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        (f"{REPO}/releases/latest", "/repos/{owner}/{repo}/releases/latest"),
        (f"{REPO}/releases/7", "/repos/{owner}/{repo}/releases/{release_id}"),
        (f"{REPO}/compare/main...feat/x", "/repos/{owner}/{repo}/compare/{basehead}"),
        (f"{REPO}/commits/feat/x/status", "/repos/{owner}/{repo}/commits/{ref}/status"),
        (f"{REPO}/environments/a%2Fb", "/repos/{owner}/{repo}/environments/{environment_name}"),
        (f"{REPO}/enviroments/a", None),
    ],
)
def test_github_paths(path: str, template: str | None) -> None:
    found = load("github").operation("GET", path)
    assert (found.path if found else None) == template


def test_a_verb_is_not_part_of_a_google_name() -> None:
    path = "/v1/projects/p/secrets/s/versions/latest"
    assert operation("secretmanager", "GET", path).path.endswith("versions/{versionsId}")
    assert operation("secretmanager", "GET", f"{path}:access").path.endswith("{versionsId}:access")
    assert load("run").operation("GET", f"{SERVICE}:setIamPolicy") is None


def test_pages_beside_githubs_interface_are_not_covered() -> None:
    github = load("github")
    assert github.covers(REPO)
    assert not github.covers("/techmate/platform/actions")
    assert load("run").covers("/anything")


def test_what_sdks_send_beside_sentrys_interface_is_not_covered() -> None:
    sentry = load("sentry")
    assert sentry.covers("/api/0/organizations/techmate/events/")
    assert not sentry.covers("/api/1/envelope/")


def test_two_interfaces_of_one_provider_do_not_cover_each_other() -> None:
    publisher, reporting = load("androidpublisher"), load("playdeveloperreporting")
    assert publisher.covers(EDIT) and publisher.covers(f"/upload{EDIT}") and not publisher.covers("/v1beta1/apps/a")
    assert reporting.covers("/v1beta1/apps/a") and not reporting.covers(EDIT)


@pytest.mark.parametrize("before", ["/upload", "/resumable/upload"])
def test_media_of_google_goes_to_addresses_of_its_own(before: str) -> None:
    """A session is begun with POST and gone on with PUT; the plain address takes no media."""
    session = {"uploadType": ["resumable"], "upload_id": ["x"]}
    begins, goes_on = (operation("androidpublisher", method, f"{before}{EDIT}/bundles") for method in ("POST", "PUT"))
    assert begins.described.takes_bytes and goes_on.described.takes_bytes
    assert begins.check_request({"uploadType": ["media"], "deviceTierConfigId": ["1"]}, None) == []
    assert begins.check_request(session, None) != []
    assert goes_on.check_request(session, None) == []
    assert goes_on.check_request({}, None) == ["query/upload_id: is required"]
    assert goes_on.check_answer(308, None) == []
    assert goes_on.check_answer(200, {"versionCode": 2, "sha1": "a", "sha256": "b"}) == []
    assert goes_on.check_answer(200, {"version_code": 2}) != []
    assert load("androidpublisher").operation("PUT", f"{EDIT}/bundles") is None


@pytest.mark.parametrize(
    ("contract", "method", "path", "body"),
    [
        ("github", "POST", f"{REPO}/deployments", {"ref": "main", "environment": "production", "payload": {"a": {}}}),
        ("github", "POST", f"{REPO}/actions/workflows/ci.yml/dispatches", {"ref": "main", "inputs": {"version": "v1"}}),
        ("github", "POST", f"{REPO}/issues/1/labels", {"labels": ["a"]}),
        ("github", "POST", f"{REPO}/check-runs", {"name": "ci", "head_sha": "0" * 40, "status": "queued"}),
        ("github", "PUT", f"{REPO}/pulls/1/merge", {"merge_method": "squash"}),
        ("github", "DELETE", f"{REPO}/git/refs/heads/x", {}),
        ("run", "PATCH", SERVICE, {"template": {"containers": [{"image": "x"}]}, "traffic": [{"percent": 100}]}),
        ("run", "PATCH", SERVICE, {"labels": {"any": "thing"}}),
        ("vercel", "POST", "/v13/deployments", {"name": "w", "meta": {"any": "thing"}, "files": [{"file": "a", "sha": "b"}]}),
        ("sentry", "POST", "/api/0/organizations/o/releases/v1/deploys/", {"environment": "production"}),
    ],
)  # fmt: skip
def test_right_requests(contract: str, method: str, path: str, body: Any) -> None:
    assert operation(contract, method, path).check_request({}, body) == []


@pytest.mark.parametrize(
    ("contract", "method", "path", "body", "problem"),
    [
        ("github", "POST", f"{REPO}/deployments", {"ref": "main", "enviroment": "x"}, "'enviroment' was unexpected"),
        ("github", "POST", f"{REPO}/deployments", {"environment": "x"}, "body: 'ref' is a required property"),
        ("github", "POST", f"{REPO}/deployments/1/statuses", {"state": "ok"}, "body/state: 'ok' is not one of"),
        ("github", "POST", f"{REPO}/check-runs", {"name": "ci", "head_sha": "0" * 40, "statuss": "queued"}, "'statuss'"),
        ("github", "POST", f"{REPO}/deployments", None, "body: is required"),
        ("github", "GET", f"{REPO}/releases", {"a": 1}, "body: this operation takes none"),
        ("run", "PATCH", SERVICE, {"trafic": []}, "'trafic' was unexpected"),
        ("run", "PATCH", SERVICE, {"traffic": [{"type": 2}]}, "body/traffic/0/type: 2 is not of type 'string'"),
        ("run", "PATCH", SERVICE, {"template": {"containers": [{"imag": "x"}]}}, "body/template/containers/0: Additional"),
        ("sts", "POST", "/v1/token", {"subject_token": "x"}, "'subject_token' was unexpected"),
        ("androidpublisher", "PUT", f"{EDIT}/tracks/t", {"releases": [{"versionCodes": [42]}]}, "42 is not of type 'string'"),
        ("androidpublisher", "PUT", f"{EDIT}/tracks/t", {"releases": [{"status": "done"}]}, "'done' is not one of"),
        ("vercel", "POST", "/v13/deployments", {"name": "w", "taget": "production"}, "'taget' was unexpected"),
        ("sentry", "POST", "/api/0/organizations/o/releases/v1/deploys/", {"environment": "production", "dateEnd": "x"}, "'dateEnd'"),
        ("vercel", "POST", "/v13/deployments", {"name": "w", "files": [{"file": "a", "sha1": "b"}]}, "'sha1' was unexpected"),
    ],
)  # fmt: skip
def test_wrong_requests(contract: str, method: str, path: str, body: Any, problem: str) -> None:
    found = operation(contract, method, path).check_request({}, body)
    assert found
    assert problem in found[0]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"per_page": ["100"], "status": ["completed"], "exclude_pull_requests": ["true"]}, None),
        ({"per_page": ["many"]}, "query/per_page: 'many' is not of type 'integer'"),
        ({"status": ["done"]}, "query/status: 'done' is not one of"),
        ({"exclude_pull_requests": ["yes"]}, "query/exclude_pull_requests: 'yes' is not of type 'boolean'"),
        ({"pagesize": ["3"]}, "query/pagesize: is not known here; known are actor, branch"),
    ],
)
def test_queries(query: dict[str, list[str]], problem: str | None) -> None:
    found = operation("github", "GET", f"{REPO}/actions/runs").check_request(query, None)
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]


def test_a_required_query_parameter() -> None:
    upload = operation("github", "POST", f"{REPO}/releases/1/assets")
    assert upload.described.takes_bytes
    assert upload.check_request({"name": ["a.txt"]}, None) == []
    assert upload.check_request({}, None) == ["query/name: is required"]


@pytest.mark.parametrize(
    ("contract", "method", "path", "status", "body", "problem"),
    [
        ("github", "POST", f"{REPO}/git/refs", 201, {"ref": "refs/heads/x", "node_id": "", "url": "http://h/x",
            "object": {"type": "commit", "sha": "0" * 40, "url": "http://h/x"}, "extra": 1}, None),
        ("github", "POST", f"{REPO}/git/refs", 201, {"ref": "refs/heads/x"}, "is a required property"),
        ("github", "POST", f"{REPO}/git/refs", 200, {}, "status 200: described are 201"),
        ("github", "POST", f"{REPO}/git/refs", 201, None, "body: an answer 201 has one"),
        ("github", "POST", f"{REPO}/git/refs", 429, {"message": "slow down"}, None),
        ("github", "DELETE", f"{REPO}/git/refs/heads/x", 204, None, None),
        ("github", "POST", f"{REPO}/environments/x/variables", 201, None, None),
        ("run", "GET", SERVICE, 200, {"name": "x", "uri": "https://x", "generation": "7"}, None),
        ("run", "GET", SERVICE, 200, {"name": "x", "url": "https://x"}, "'url' was unexpected"),
        ("run", "GET", SERVICE, 200, {"name": "x", "generation": 7}, "body/generation: 7 is not of type 'string'"),
        ("run", "GET", SERVICE, 404, {"error": {"code": 404}}, None),
        ("androidpublisher", "DELETE", EDIT, 204, None, None),
        ("androidpublisher", "DELETE", EDIT, 302, None, "status 302: described are 2XX"),
        ("androidpublisher", "GET", EDIT, 200, {"id": "1", "expiryTimeSeconds": 7}, "7 is not of type 'string'"),
        ("vercel", "POST", "/v10/projects/p/promote/d", 202, None, None),
        ("vercel", "POST", "/v10/projects/p/promote/d", 200, None, "status 200: described are 201, 202"),
        ("vercel", "POST", "/v2/deployments/d/aliases", 200, {"alias": "a", "created": "2026-01-01", "uid": "x"}, None),
        ("vercel", "POST", "/v2/deployments/d/aliases", 200, {"alias": "a", "uid": "x"}, "'created' is a required"),
    ],
)  # fmt: skip
def test_answers(contract: str, method: str, path: str, status: int, body: Any, problem: str | None) -> None:
    found = operation(contract, method, path).check_answer(status, body)
    assert bool(found) == (problem is not None)
    assert problem is None or problem in found[0]


def test_of_alternatives_the_nearest_is_complained_about() -> None:
    body = {"name": "w", "files": [{"file": "a", "sha": 7}]}
    found = operation("vercel", "POST", "/v13/deployments").check_request({}, body)
    assert found == ["body/files/0/sha: 7 is not of type 'string'"]


def test_loading_github_costs_little_memory_and_no_network() -> None:
    script = (
        "import resource\n"
        "from rehearsal.contracts.contract import load\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"load('github').operation('GET', '{REPO}/actions/runs').check_answer(200, {{}})\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert int(done.stdout) < 20_000, "kilobytes"
