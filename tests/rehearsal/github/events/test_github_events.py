"""Webhook payloads, OIDC, snapshots, and what the runner receives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from tests.rehearsal.github.scene import FILES, REPOSITORY, OpenScene, Person, Scene

HERE = f"/repos/{REPOSITORY}"
COMMON = {"repository", "sender", "organization"}
SHAPES: dict[str, set[str]] = {
    # The properties GitHub's own description requires (@octokit/openapi-webhooks 12.1.0).
    "push": {"after", "base_ref", "before", "commits", "compare", "created", "deleted", "forced", "head_commit",
             "pusher", "ref"},
    "create": {"description", "master_branch", "pusher_type", "ref", "ref_type"},
    "delete": {"pusher_type", "ref", "ref_type"},
    "pull_request": {"action", "number", "pull_request"},
    "pull_request_review": {"action", "pull_request", "review"},
    "issues": {"action", "issue"},
    "issue_comment": {"action", "comment", "issue"},
    "release": {"action", "release"},
    "deployment": {"action", "deployment", "workflow", "workflow_run"},
    "deployment_status": {"action", "deployment", "deployment_status"},
    "status": {"avatar_url", "branches", "commit", "context", "created_at", "description", "id", "name", "sha", "state",
               "target_url", "updated_at"},
    "workflow_dispatch": {"inputs", "ref", "workflow"},
    "workflow_run": {"action", "workflow", "workflow_run"},
    "repository_dispatch": {"action", "branch", "client_payload"},
}  # fmt: skip


@pytest.fixture
def delivered(scene: Scene, dev: Person, reviewer: Person, tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
    """Everything that can happen, once; the payloads by event."""
    checkout = dev.clone(tmp_path / "clone")
    dev.git("checkout", "-q", "-b", "feature", cwd=checkout)
    dev.commit(checkout, "a.txt", "a", "Add a")
    dev.git("push", "-q", "origin", "feature", cwd=checkout)
    dev.post(f"{HERE}/pulls", {"title": "Add a", "head": "feature", "base": "main"})
    dev.commit(checkout, "b.txt", "b", "Add b")
    dev.git("push", "-q", "origin", "feature", cwd=checkout)
    reviewer.post(f"{HERE}/pulls/1/reviews", {"event": "APPROVE"}, status=200)
    dev.api("PUT", f"{HERE}/pulls/1/merge", json={})
    dev.git("push", "-q", "origin", ":feature", cwd=checkout)
    dev.post(f"{HERE}/issues", {"title": "T"})
    dev.post(f"{HERE}/issues/2/comments", {"body": "text"})
    dev.post(f"{HERE}/releases", {"tag_name": "v1.0.0"})
    deployment = dev.post(f"{HERE}/deployments", {"ref": "main", "auto_merge": False, "required_contexts": []})
    dev.post(f"{HERE}/deployments/{deployment['id']}/statuses", {"state": "success"})
    dev.post(f"{HERE}/statuses/{scene.main()}", {"state": "success"})
    body = {"ref": "main", "inputs": {"version": "v1.0.0"}}
    dev.post(f"{HERE}/actions/workflows/deploy-production.yml/dispatches", body, status=204)
    dev.post(f"{HERE}/dispatches", {"event_type": "custom"}, status=204)
    payloads: dict[str, list[dict[str, Any]]] = {}
    for event in scene.runner.events:
        payloads.setdefault(event.name, []).append(event.payload)
    return payloads


def test_every_event_has_the_shape_of_its_webhook(delivered: dict[str, list[dict[str, Any]]]) -> None:
    assert set(delivered) == set(SHAPES)
    for name, payloads in delivered.items():
        for payload in payloads:
            assert SHAPES[name] | COMMON <= set(payload), name
            json.dumps(payload)
    push = delivered["push"][0]
    assert isinstance(push["repository"]["created_at"], int), "epoch seconds, in push events only"
    assert push["commits"][0]["added"] == ["a.txt"]
    assert push["pusher"] == {"name": "dev-1", "email": "dev-1@users.noreply.github.com"}
    assert delivered["push"][-1]["ref"] == "refs/tags/v1.0.0"
    actions = [payload["action"] for payload in delivered["pull_request"]]
    assert actions == ["opened", "synchronize", "closed"]
    assert (delivered["pull_request"][1]["before"], delivered["pull_request"][1]["after"]) == (
        push["after"],
        delivered["push"][1]["after"],
    )
    assert delivered["pull_request"][2]["pull_request"]["merged"] is True
    assert delivered["pull_request_review"][0]["review"]["state"] == "approved", "in small letters, in events only"


def test_an_oidc_token_is_checked_with_the_published_key(scene: Scene) -> None:
    claims = {"sub": f"repo:{REPOSITORY}:environment:production", "aud": "https://iam.googleapis.com/x"}
    token = scene.do(scene.github.hub.sign_oidc, claims)
    configuration = requests.get(f"{scene.url}/_oidc/.well-known/openid-configuration", timeout=10).json()
    assert configuration["issuer"] == f"{scene.url}/_oidc"
    keys = jwt.PyJWKClient(configuration["jwks_uri"])
    key = keys.get_signing_key_from_jwt(token)
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}  # the scene's clock is its own
    found = jwt.decode(
        token, key.key, ["RS256"], audience=claims["aud"], issuer=configuration["issuer"], options=options
    )
    assert found["sub"] == claims["sub"]
    assert found["exp"] - found["iat"] == 300


def test_a_subject_with_numbers_where_the_repository_asks_for_it(scene: Scene, dev: Person, manager: Person) -> None:
    path = f"/repos/{REPOSITORY}/actions/oidc/customization/sub"
    job = scene.job_token({"actions": "read"})
    named = {"use_default": True, "use_immutable_subject": False, "sub_claim_prefix": f"repo:{REPOSITORY}"}
    assert job.get(path) == named
    asked = {"use_default": True, "use_immutable_subject": True}
    assert dev.api("PUT", path, json=asked).status_code == 403
    assert manager.api("PUT", path, json=asked).status_code == 201
    repository = manager.get(f"/repos/{REPOSITORY}")
    prefix = f"repo:techmate@{repository['owner']['id']}/platform@{repository['id']}"
    assert job.get(path)["sub_claim_prefix"] == prefix
    claims = {"repository": REPOSITORY, "sub": f"repo:{REPOSITORY}:environment:production", "aud": "x"}
    token = scene.do(scene.github.hub.sign_oidc, claims)
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == f"{prefix}:environment:production"


def test_a_snapshot_holds_everything_and_can_be_forked(scene: Scene, dev: Person, tmp_path: Path) -> None:
    release = dev.post(f"{HERE}/releases", {"tag_name": "v1.0.0"})
    url = release["upload_url"].partition("{")[0]
    headers = {"Authorization": f"token {dev.token}", "Content-Type": "text/plain"}
    requests.post(url, params={"name": "a.txt"}, data=b"asset", headers=headers, timeout=10)
    dev.post(f"{HERE}/issues", {"title": "Before"})
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    saved = json.loads(json.dumps(scene.do(scene.github.save)))
    dev.post(f"{HERE}/issues", {"title": "After"})

    folder = tmp_path / "fork"
    folder.mkdir()
    with OpenScene(folder) as other:
        other.do(other.github.load, saved)
        person = Person(login="dev-1", token=dev.token, url=other.url, home=dev.home)
        assert [issue["title"] for issue in person.get(f"{HERE}/issues")] == ["Before"]
        (asset,) = person.get(f"{HERE}/releases/latest")["assets"]
        assert requests.get(asset["browser_download_url"], timeout=10).content == b"asset"
        assert person.get(f"{HERE}/branches/main")["protected"] is True
        checkout = person.clone(folder / "clone")
        assert (checkout / "README.md").read_text() == FILES["README.md"]
        person.git("checkout", "-q", "-b", "later", cwd=checkout)
        person.commit(checkout, "x", "x", "X")
        person.git("push", "-q", "origin", "later", cwd=checkout)
        assert (
            other.do(other.github.hub.sign_oidc, {}).split(".")[0]
            == scene.do(scene.github.hub.sign_oidc, {}).split(".")[0]
        )
        assert other.violations == []
    assert [issue["title"] for issue in dev.get(f"{HERE}/issues")] == ["After", "Before"]


def test_reset_forgets_everything(scene: Scene, dev: Person) -> None:
    scene.do(scene.github.reset)
    assert requests.get(f"{scene.url}{HERE}", timeout=10).status_code == 404
    assert dev.api("GET", "/user").status_code == 401
    scene.run(scene.github.seed.repository(REPOSITORY, files={"a": "a"}))
    assert requests.get(f"{scene.url}{HERE}/commits", timeout=10).json()[0]["commit"]["message"] == "Initial commit"


def test_the_runner_is_reported_of_workflow_files_and_changed_paths(scene: Scene, dev: Person, tmp_path: Path) -> None:
    hub, first = scene.github.hub, scene.main()
    files = scene.run(hub.workflow_files(REPOSITORY, first))
    assert set(files) == {".github/workflows/ci.yml", ".github/workflows/deploy-production.yml"}
    checkout = dev.clone(tmp_path / "clone")
    second = dev.commit(checkout, "apps/web/größe.ts", "x", "Web")
    dev.git("push", "-q", "origin", "main", cwd=checkout)
    assert scene.run(hub.changed_paths(REPOSITORY, first, second)) == ["apps/web/größe.ts"]
    assert scene.run(hub.changed_paths(REPOSITORY, "0" * 40, second)) is None
    assert scene.run(hub.changed_paths(REPOSITORY, "1" * 40, second)) is None
    assert scene.run(hub.workflow_files(REPOSITORY, "1" * 40)) == {}
    assert scene.do(hub.clone_url, REPOSITORY) == f"{scene.url}/{REPOSITORY}.git"
    assert scene.do(hub.default_branch, REPOSITORY) == "main"


def test_a_repository_is_seeded_from_a_directory_and_from_history(scene: Scene, dev: Person, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "sub" / "run.sh").chmod(0o755)
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "a.log").write_text("left out")
    scene.run(scene.github.seed.repository("techmate/other", files=folder))
    tree = requests.get(f"{scene.url}/repos/techmate/other/git/trees/main?recursive=1", timeout=10).json()["tree"]
    assert [(entry["path"], entry["mode"]) for entry in tree] == [
        (".gitignore", "100644"),
        ("sub", "040000"),
        ("sub/run.sh", "100755"),
    ]
    checkout = dev.clone(tmp_path / "clone")
    dev.git("tag", "v0.1.0", cwd=checkout)
    scene.run(scene.github.seed.repository("techmate/third"))
    scene.run(scene.github.seed.history("techmate/third", checkout))
    found = requests.get(f"{scene.url}/repos/techmate/third/git/ref/tags/v0.1.0", timeout=10).json()
    assert found["object"]["sha"] == scene.main()
    with pytest.raises(ValueError, match="'owner' is no role"):
        scene.do(scene.github.seed.role, REPOSITORY, "dev-1", "owner")
