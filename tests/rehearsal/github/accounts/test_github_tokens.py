"""What each kind of token may, and what it is answered when it may not."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

HERE = f"/repos/{REPOSITORY}"

WRITES: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    ("POST", "issues", {"title": "T"}, {"issues": "write"}),
    ("POST", "releases", {"tag_name": "v1"}, {"contents": "write"}),
    (
        "POST",
        "deployments",
        {"ref": "main", "auto_merge": False, "required_contexts": []},
        {"deployments": "write"},
    ),
    ("POST", "check-runs", {"name": "x", "head_sha": "main"}, {"checks": "write"}),
    ("POST", "dispatches", {"event_type": "x"}, {"contents": "write"}),
    (
        "POST",
        "actions/workflows/deploy-production.yml/dispatches",
        {"ref": "main", "inputs": {"version": "1"}},
        {"actions": "write"},
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "needed"), WRITES, ids=[write[1] for write in WRITES])
def test_a_job_may_exactly_what_its_permissions_say(
    scene: Scene, method: str, path: str, body: dict[str, Any], needed: dict[str, str]
) -> None:
    every = ("actions", "checks", "contents", "deployments", "issues", "pull-requests", "statuses")
    ((resource, _),) = needed.items()
    others = {name: "write" for name in every if name != resource} | {resource: "read"}
    refused = scene.job_token(others).api(method, f"{HERE}/{path}", json=body)
    assert refused.status_code == 403
    assert refused.json()["message"] == "Resource not accessible by integration"
    assert refused.headers["x-accepted-github-permissions"] == f"{resource}=write"
    assert scene.job_token(needed).api(method, f"{HERE}/{path}", json=body).status_code in (200, 201, 204)


def test_a_job_without_permissions_reads_nothing_but_metadata(scene: Scene) -> None:
    job = scene.job_token({})
    assert job.get(HERE)["full_name"] == REPOSITORY
    for path in ("contents/README.md", "actions/runs", "deployments", "issues/1", "pulls"):
        assert job.api("GET", f"{HERE}/{path}").status_code == 403, path


def test_a_pull_request_comment_takes_either_of_two_permissions(scene: Scene, dev: Person) -> None:
    dev.post(f"{HERE}/issues", {"title": "T"})
    for permission in ("issues", "pull-requests"):
        scene.job_token({permission: "write"}).post(f"{HERE}/issues/1/comments", {"body": permission})
    assert (
        scene.job_token({"contents": "write"}).api("POST", f"{HERE}/issues/1/comments", json={"body": "x"}).ok is False
    )


def test_a_jobs_token_dies_with_the_job_and_reaches_no_other_repository(scene: Scene) -> None:
    scene.run(scene.github.seed.repository("techmate/other", files={"a": "a"}, private=True))
    job = scene.job_token({"contents": "write"})
    assert job.api("GET", "/repos/techmate/other").status_code == 404
    assert job.api("GET", "/user").json()["message"] == "Resource not accessible by integration"
    scene.do(scene.github.hub.retire_token, job.token)
    assert job.api("GET", HERE).status_code == 401


def test_a_fine_grained_token_is_held_to_its_list(scene: Scene) -> None:
    narrow = scene.person("dev-1", permissions={"contents": "read", "deployments": "write"})
    assert narrow.get(f"{HERE}/contents/README.md")["path"] == "README.md"
    body = {"ref": "main", "auto_merge": False, "required_contexts": []}
    narrow.post(f"{HERE}/deployments", body)
    refused = narrow.api("POST", f"{HERE}/releases", json={"tag_name": "v1"})
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by personal access token")


def test_an_expired_token_is_no_token(scene: Scene) -> None:
    person = scene.person("dev-1", lifetime=timedelta(minutes=5))
    person.get("/user")
    scene.clock.time += timedelta(minutes=6)
    assert person.api("GET", "/user").status_code == 401


def test_anonymous_readers_see_public_repositories_and_change_nothing(scene: Scene) -> None:
    assert requests.get(f"{scene.url}{HERE}", timeout=10).json()["full_name"] == REPOSITORY
    answer = requests.post(f"{scene.url}{HERE}/issues", json={"title": "T"}, timeout=10)
    assert (answer.status_code, answer.json()["message"]) == (401, "Requires authentication")


def test_administration_takes_an_administrator(scene: Scene, dev: Person, manager: Person) -> None:
    refused = dev.api("PUT", f"{HERE}/environments/staging", json={})
    assert (refused.status_code, refused.json()["message"]) == (403, "Must have admin rights to Repository.")
    assert manager.api("PUT", f"{HERE}/environments/staging", json={}).status_code == 200


def test_the_rate_limit_counts_and_refuses(scene: Scene, dev: Person) -> None:
    assert dev.get("/rate_limit")["rate"]["remaining"] == 5000, "to ask for it costs nothing"
    dev.get(HERE)
    scene.person("dev-1").get(HERE)
    assert dev.get("/rate_limit")["rate"]["remaining"] == 4998, "a person's tokens share one hour"
    scene.github.instance.database.users["dev-1"].allowance.used = 5000
    refused = dev.api("GET", HERE)
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    assert "API rate limit exceeded" in refused.json()["message"]
    scene.clock.time += timedelta(hours=1)
    assert dev.api("GET", HERE).status_code == 200


def test_all_jobs_of_a_repository_share_a_thousand_requests(scene: Scene) -> None:
    one, other = scene.job_token({"contents": "read"}), scene.job_token({"contents": "read"})
    first, second = one.api("GET", HERE), other.api("GET", HERE)
    assert [answer.headers["x-ratelimit-remaining"] for answer in (first, second)] == ["999", "998"]
    repository = scene.github.instance.repository(REPOSITORY)
    repository.jobs_allowance.used = 1000
    scene.do(scene.github.hub.retire_token, one.token)
    refused = scene.job_token({"contents": "read"}).api("GET", HERE)
    assert (refused.status_code, refused.headers["x-ratelimit-limit"]) == (403, "1000")
    assert refused.json()["message"] == "API rate limit exceeded for installation."
    scene.person("dev-1").get(HERE)


def test_what_has_not_changed_costs_nothing_and_a_run_knows_what_it_asked(scene: Scene) -> None:
    job = scene.job_token({"contents": "read"})
    run = max(scene.runner.runs.values(), key=lambda one: one.id)
    path = f"{HERE}/contents/README.md"
    first = job.api("GET", path)
    again = job.api("GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert [answer.headers["x-ratelimit-remaining"] for answer in (first, again)] == ["999", "999"]
    assert job.api("GET", f"{HERE}/deployments").status_code == 403
    requests_made = scene.do(scene.github.instance.requests, run)
    assert (requests_made.counted, requests_made.not_modified) == (2, 1), "a refusal is a request too"
    own = {"GET /repos/{owner}/{repo}/contents/{path:path}": 1, "GET /repos/{owner}/{repo}/deployments": 1}
    assert requests_made.by_job == {run.jobs[0].id: own}
    scene.job_token({})
    other = max(scene.runner.runs.values(), key=lambda one: one.id)
    assert scene.do(scene.github.instance.requests, other).counted == 0


def test_who_someone_is_and_what_they_may(scene: Scene, dev: Person) -> None:
    assert dev.get("/user")["login"] == "dev-1"
    assert dev.get("/users/release-manager")["type"] == "User"
    assert dev.get("/users/techmate")["type"] == "Organization"
    assert dev.api("GET", "/users/nobody").status_code == 404
    rights = {
        login: dev.get(f"{HERE}/collaborators/{login}/permission") for login in ("dev-1", "release-manager", "on-call")
    }
    assert {login: right["permission"] for login, right in rights.items()} == {
        "dev-1": "write",
        "release-manager": "admin",
        "on-call": "read",
    }
    scene.job_token({})
    scene.person("stranger")
    assert dev.get(f"{HERE}/collaborators/stranger/permission")["permission"] == "read", "of what is public"
    for login in ("github-actions[bot]", "techmate", "Copilot", "nobody"):
        unknown = dev.api("GET", f"{HERE}/collaborators/{login}/permission")
        assert (unknown.status_code, unknown.json()["message"]) == (404, f"{login} is not a user")
    scene.do(scene.github.seed.role, REPOSITORY, "dev-1", "maintain")
    right = dev.get(f"{HERE}/collaborators/dev-1/permission")
    assert (right["permission"], right["role_name"]) == ("write", "maintain")
    assert dev.api("GET", f"{HERE}/collaborators/dev-2").status_code == 204
    assert dev.api("GET", f"{HERE}/collaborators/techmate").status_code == 404


@pytest.mark.parametrize(("header", "status"), [("Basic !", 401), ("Digest x", 401), ("Bearer", 401)])
def test_broken_credentials(scene: Scene, header: str, status: int) -> None:
    answer = requests.get(f"{scene.url}{HERE}", headers={"Authorization": header}, timeout=10)
    assert answer.status_code == status


@pytest.mark.parametrize(("raw", "message"), [("{", "Problems parsing JSON"), ("[1]", "Body should be a JSON object")])
def test_bodies_that_are_no_json_object(scene: Scene, dev: Person, raw: str, message: str) -> None:
    answer = dev.api("POST", f"{HERE}/issues", data=raw, headers={"Content-Type": "application/vnd.plain"})
    scene.violations.clear()  # GitHub's description has no bodies that are not JSON
    assert answer.status_code == 400
    assert message in answer.json()["message"] or "is not JSON" in answer.json()["message"]


def test_whose_request_it_is_can_be_known_from_its_token(scene: Scene) -> None:
    def who(header: str) -> frozenset[str]:
        return scene.github.who({"headers": [(b"authorization", header.encode())] if header else []})

    job, dev = scene.job_token({"contents": "read"}), scene.person("dev-1")
    basic = base64.b64encode(f"x-access-token:{job.token}".encode()).decode()
    for header in (f"token {job.token}", f"Bearer {job.token}", f"Basic {basic}"):
        assert who(header) == {"github-actions[bot]", "job"}
    assert who(f"token {dev.token}") == {"dev-1", "person"}
    for header in ("", "token ghp_unknown", "Basic %%%", "Digest x"):
        assert who(header) == frozenset()
