from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rehearsal.emulators.vercel_client import SHA, Client, vercel_client


@pytest.fixture
def vercel() -> Iterator[Client]:
    with vercel_client() as client:
        yield client


def test_a_deployment_is_queued_then_built_then_ready(vercel: Client) -> None:
    created = vercel.deploy(ready=False)
    path = f"/v13/deployments/{created['id']}"
    assert (created["readyState"], created["aliasAssigned"]) == ("QUEUED", False)
    vercel.clock.forward(0.15)
    assert vercel.get(path)["readyState"] == "BUILDING"
    vercel.clock.forward(0.3)
    ready = vercel.get(path)
    assert (ready["readyState"], ready["readySubstate"], ready["aliasAssigned"]) == ("READY", "PROMOTED", True)
    assert set(ready["alias"]) == {"techmate.ai", "techmate-web.vercel.app"}
    assert vercel.shown() == created["id"]
    assert created["url"].startswith("techmate-web-")
    assert created["url"].endswith("-techmate.vercel.app")
    assert vercel.get(f"/v13/deployments/{created['url']}")["id"] == created["id"]


def test_missing_files_are_all_named_and_can_be_sent_after(vercel: Client) -> None:
    other = "f" * 40
    files = [{"file": "index.html", "sha": SHA, "size": 1}, {"file": "a.js", "sha": other, "size": 1}]
    answer = vercel.ask("POST", "/v13/deployments", json={"name": "techmate-web", "files": files})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "missing_files"
    assert answer.json()["error"]["missing"] == sorted([SHA, other])
    assert vercel.upload().status_code == 200
    answer = vercel.ask("POST", "/v13/deployments", json={"name": "techmate-web", "files": files})
    assert answer.json()["error"]["missing"] == [other]
    assert vercel.vercel.account.deployments == {}


def test_an_upload_must_have_the_digest_of_its_content(vercel: Client) -> None:
    wrong = vercel.ask("POST", "/v2/files", data=b"x", headers={"x-vercel-digest": SHA})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "bad_request")
    assert vercel.ask("POST", "/v2/files", data=b"x").status_code == 400


def test_files_can_be_inlined(vercel: Client) -> None:
    files = [{"file": "index.html", "data": "aGk=", "encoding": "base64"}, {"file": "a/b.txt", "data": "text"}]
    created = vercel.ask("POST", "/v13/deployments", json={"name": "techmate-web", "files": files}).json()
    tree = vercel.get(f"/v6/deployments/{created['id']}/files")
    assert [node["name"] for node in tree] == ["a", "index.html"]
    assert tree[0]["children"][0]["uid"] == hashlib.sha1(b"text").hexdigest()  # noqa: S324
    assert vercel.vercel.account.blobs[tree[1]["uid"]] == b"hi"


def test_without_files_nothing_is_created(vercel: Client) -> None:
    answer = vercel.ask("POST", "/v13/deployments", json={"name": "techmate-web", "files": []})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_a_path_out_of_the_deployment_is_refused(vercel: Client) -> None:
    files = [{"file": "../index.html", "data": "x"}]
    assert vercel.ask("POST", "/v13/deployments", json={"name": "w", "files": files}).status_code == 400


def test_sources_are_not_built_here_and_the_deployment_says_so(vercel: Client) -> None:
    files = [{"file": "package.json", "data": "{}"}]
    created = vercel.ask("POST", "/v13/deployments", json={"name": "techmate-web", "files": files}).json()
    vercel.clock.forward()
    failed = vercel.get(f"/v13/deployments/{created['id']}")
    assert (failed["readyState"], failed["errorCode"]) == ("ERROR", "BUILD_FAILED")
    assert "runs no builds" in failed["errorMessage"]
    events = vercel.get(f"/v3/deployments/{created['id']}/events")
    assert [event["type"] for event in events] == ["stdout", "stderr"]


def test_deploying_again_takes_the_files_of_an_earlier_deployment(vercel: Client) -> None:
    first = vercel.deploy()
    again = vercel.ask("POST", "/v13/deployments", json={"name": "techmate-web", "deploymentId": first["id"]}).json()
    assert again["id"] != first["id"]
    assert vercel.get(f"/v6/deployments/{again['id']}/files") == vercel.get(f"/v6/deployments/{first['id']}/files")


def test_previews_get_a_name_by_their_branch(vercel: Client) -> None:
    git = {"commitRef": "Feature/Search_Notes", "commitSha": "a" * 40, "dirty": True}
    preview = vercel.deploy(target=None, gitMetadata=git, meta={"run": "7"})
    assert preview["target"] is None
    assert preview["alias"] == ["techmate-web-git-feature-search-notes-techmate.vercel.app"]
    assert preview["meta"] == {
        "githubCommitRef": "Feature/Search_Notes",
        "githubCommitSha": "a" * 40,
        "gitDirty": "1",
        "run": "7",
    }
    assert vercel.shown() is None


def test_lists_are_filtered(vercel: Client) -> None:
    one = vercel.deploy(meta={"githubCommitSha": "a" * 40, "githubCommitRef": "main"})
    two = vercel.deploy(meta={"githubCommitSha": "b" * 40, "githubCommitRef": "main"}, target=None)
    three = vercel.deploy(ready=False)

    def found(**filters: str) -> list[str]:
        return [deployment["uid"] for deployment in vercel.get("/v7/deployments", **filters)["deployments"]]

    everything = [three["id"], two["id"], one["id"]]
    assert found(app="techmate-web") == found(projectId=one["projectId"]) == everything
    assert found(app="techmate-web-staging") == []
    assert found(target="production") == [three["id"], one["id"]]
    assert found(target="preview") == [two["id"]]
    assert found(state="READY") == [two["id"], one["id"]]
    assert found(state="QUEUED,BUILDING") == [three["id"]]
    assert found(sha="a" * 40) == [one["id"]]
    assert found(branch="main", target="production") == [one["id"]]
    assert found(sha="c" * 40) == []


def test_lists_are_paged_without_losing_or_repeating_any(vercel: Client) -> None:
    made = [vercel.deploy(ready=False)["id"] for _ in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = vercel.get("/v7/deployments", **query)
        seen += [deployment["uid"] for deployment in page["deployments"]]
        if page["pagination"]["next"] is None:
            break
        query["until"] = page["pagination"]["next"]
    assert seen == made[::-1]


def test_a_build_can_be_cancelled_and_a_finished_one_cannot(vercel: Client) -> None:
    running_build, ready = vercel.deploy(ready=False), vercel.deploy()
    cancelled = vercel.deploy(ready=False)
    answer = vercel.ask("PATCH", f"/v12/deployments/{cancelled['id']}/cancel")
    assert (answer.status_code, answer.json()["readyState"]) == (200, "CANCELED")
    vercel.clock.forward()
    assert vercel.get(f"/v13/deployments/{cancelled['id']}")["readyState"] == "CANCELED"
    assert vercel.ask("PATCH", f"/v12/deployments/{ready['id']}/cancel").status_code == 400
    assert running_build["id"] != cancelled["id"]


def test_a_deleted_deployment_is_gone_with_its_names(vercel: Client) -> None:
    live = vercel.deploy()
    assert vercel.ask("DELETE", f"/v13/deployments/{live['id']}").json() == {"uid": live["id"], "state": "DELETED"}
    assert vercel.ask("GET", f"/v13/deployments/{live['id']}").status_code == 404
    assert vercel.shown() is None
