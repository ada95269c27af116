"""Releases: drafts, tags, assets, immutability, which is the latest, generated notes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

RELEASES = f"/repos/{REPOSITORY}/releases"


def upload(person: Person, release: Any, name: str, content: bytes, **query: str) -> requests.Response:
    url = release["upload_url"].partition("{")[0]
    headers = {"Authorization": f"token {person.token}", "Content-Type": "application/octet-stream"}
    return requests.post(url, params={"name": name, **query}, data=content, headers=headers, timeout=30)


def test_publishing_makes_the_tag_and_tells_of_it(scene: Scene, dev: Person) -> None:
    release = dev.post(RELEASES, {"tag_name": "v1.0.0", "name": "One", "body": "Notes"})
    assert (release["draft"], release["immutable"], release["author"]["login"]) == (False, False, "dev-1")
    tag = dev.get(f"/repos/{REPOSITORY}/git/ref/tags/v1.0.0")
    assert tag["object"]["sha"] == scene.main()
    assert [event.payload["action"] for event in scene.events("release")] == ["created", "published", "released"]
    assert scene.events("release")[-1].ref == "refs/tags/v1.0.0"
    assert dev.get(f"{RELEASES}/tags/v1.0.0")["id"] == release["id"]
    assert dev.get(f"{RELEASES}/latest")["id"] == release["id"]
    again = dev.api("POST", RELEASES, json={"tag_name": "v1.0.0"})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "already_exists")


def test_a_draft_has_no_tag_and_is_seen_by_writers_only(scene: Scene, dev: Person) -> None:
    draft = dev.post(RELEASES, {"tag_name": "v1.0.0", "draft": True})
    assert dev.api("GET", f"/repos/{REPOSITORY}/git/ref/tags/v1.0.0").status_code == 404
    assert dev.api("GET", f"{RELEASES}/tags/v1.0.0").status_code == 404
    assert dev.api("GET", f"{RELEASES}/latest").status_code == 404
    reader = scene.person("on-call")
    assert reader.get(RELEASES) == []
    assert reader.api("GET", f"{RELEASES}/{draft['id']}").status_code == 404
    assert [one["id"] for one in dev.get(RELEASES)] == [draft["id"]]
    assert scene.events("release") == []
    second = dev.post(RELEASES, {"tag_name": "v1.0.0", "draft": True})
    assert second["id"] != draft["id"], "GitHub lets two drafts have one tag"
    assert dev.api("PATCH", f"{RELEASES}/{draft['id']}", json={"draft": False}).json()["draft"] is False
    other = dev.api("PATCH", f"{RELEASES}/{second['id']}", json={"draft": False})
    assert other.json()["errors"][0]["code"] == "already_exists"


def test_assets_are_kept_with_their_digest(scene: Scene, dev: Person) -> None:
    release = dev.post(RELEASES, {"tag_name": "v1.0.0", "draft": True})
    made = upload(dev, release, "SHA256SUMS", b"content", label="Sums")
    assert made.status_code == 201, made.text
    asset = made.json()
    assert asset["digest"] == f"sha256:{hashlib.sha256(b'content').hexdigest()}"
    assert (asset["state"], asset["size"], asset["label"]) == ("uploaded", 7, "Sums")
    again = upload(dev, release, "SHA256SUMS", b"other")
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "already_exists")
    path = f"{RELEASES}/assets/{asset['id']}"
    bytes_of = dev.api("GET", path, headers={"Accept": "application/octet-stream"})
    assert bytes_of.content == b"content"
    assert dev.get(path)["download_count"] == 1
    assert dev.api("PATCH", path, json={"name": "sums.txt"}).json()["name"] == "sums.txt"
    dev.api("PATCH", f"{RELEASES}/{release['id']}", json={"draft": False})
    public = dev.get(path)["browser_download_url"]
    assert requests.get(public, timeout=10).content == b"content"
    assert dev.api("DELETE", path).status_code == 204
    assert dev.get(f"{RELEASES}/{release['id']}/assets") == []


def test_a_broken_upload_leaves_an_open_asset_that_takes_the_name(scene: Scene, dev: Person) -> None:
    """GitHub's state `open`: it has to be deleted before the name can be used."""
    release = dev.post(RELEASES, {"tag_name": "v1.0.0", "draft": True})

    def half() -> Any:
        yield b"half"
        raise ConnectionError("the line is cut")

    with pytest.raises(requests.exceptions.ConnectionError):
        upload(dev, release, "app.aab", half())
    deadline = threading.Event()
    listed = dev.get(f"{RELEASES}/{release['id']}/assets")
    for _ in range(100):
        if listed and listed[0]["state"] == "open":
            break
        deadline.wait(0.05)
        listed = dev.get(f"{RELEASES}/{release['id']}/assets")
    assert [(one["name"], one["state"], one["digest"]) for one in listed] == [("app.aab", "open", None)]
    assert upload(dev, release, "app.aab", b"whole").status_code == 422
    dev.api("DELETE", f"{RELEASES}/assets/{listed[0]['id']}")
    assert upload(dev, release, "app.aab", b"whole").status_code == 201


def test_an_immutable_release_keeps_its_tag_and_assets(
    scene: Scene, dev: Person, manager: Person, tmp_path: Path
) -> None:
    assert manager.api("GET", f"/repos/{REPOSITORY}/immutable-releases").status_code == 404
    assert manager.api("PUT", f"/repos/{REPOSITORY}/immutable-releases").status_code == 204
    assert manager.get(f"/repos/{REPOSITORY}/immutable-releases")["enabled"] is True
    draft = dev.post(RELEASES, {"tag_name": "v1.0.0", "draft": True})
    asset = upload(dev, draft, "notes.md", b"notes").json()
    release = dev.api("PATCH", f"{RELEASES}/{draft['id']}", json={"draft": False}).json()
    assert release["immutable"] is True
    assert upload(dev, release, "late.txt", b"late").status_code == 422
    assert dev.api("DELETE", f"{RELEASES}/assets/{asset['id']}").status_code == 422
    assert dev.api("PATCH", f"{RELEASES}/{release['id']}", json={"tag_name": "v2.0.0"}).status_code == 422
    assert dev.api("PATCH", f"{RELEASES}/{release['id']}", json={"body": "Withdrawn"}).json()["body"] == "Withdrawn"
    checkout = dev.clone(tmp_path / "clone")
    result = dev.git("push", "origin", ":v1.0.0", cwd=checkout, fails=True)
    assert "Cannot change the tag of the immutable release v1.0.0" in result
    assert dev.api("DELETE", f"{RELEASES}/{release['id']}").status_code == 204
    burnt = dev.api("POST", RELEASES, json={"tag_name": "v1.0.0"})
    assert "was used by an immutable release" in burnt.text


@pytest.mark.parametrize(
    ("choices", "latest"),
    [
        (["true", "true"], "v1.1.0"),
        (["true", "false"], "v1.0.0"),
        (["legacy", "legacy"], "v1.1.0"),
        (["false", "false"], "v1.1.0"),
    ],
)
def test_which_release_is_the_latest(scene: Scene, dev: Person, choices: list[str], latest: str) -> None:
    for tag, choice in zip(("v1.0.0", "v1.1.0"), choices, strict=True):
        dev.post(RELEASES, {"tag_name": tag, "make_latest": choice})
    dev.post(RELEASES, {"tag_name": "v2.0.0-rc.1", "prerelease": True, "make_latest": "true"})
    assert dev.get(f"{RELEASES}/latest")["tag_name"] == latest


def test_the_latest_mark_can_be_moved_back(scene: Scene, dev: Person) -> None:
    first = dev.post(RELEASES, {"tag_name": "v1.0.0"})
    dev.post(RELEASES, {"tag_name": "v1.1.0"})
    dev.api("PATCH", f"{RELEASES}/{first['id']}", json={"make_latest": "true"})
    assert dev.get(f"{RELEASES}/latest")["tag_name"] == "v1.0.0"


def test_a_release_whose_tag_is_deleted_is_a_draft_until_it_is_published_anew(scene: Scene, dev: Person) -> None:
    first = dev.post(RELEASES, {"tag_name": "v1.0.0"})
    second = dev.post(RELEASES, {"tag_name": "v1.1.0"})
    tag = f"/repos/{REPOSITORY}/git/refs/tags/v1.1.0"
    commit = dev.get(f"/repos/{REPOSITORY}/git/ref/tags/v1.1.0")["object"]["sha"]
    assert dev.api("DELETE", tag).status_code == 204
    assert dev.api("GET", f"{RELEASES}/tags/v1.1.0").status_code == 404
    assert dev.get(f"{RELEASES}/{second['id']}")["draft"] is True
    assert dev.get(f"{RELEASES}/latest")["id"] == first["id"]
    dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/tags/v1.1.0", "sha": commit})
    assert dev.get(f"{RELEASES}/{second['id']}")["draft"] is True, "a tag alone publishes nothing"
    published = dev.api("PATCH", f"{RELEASES}/{second['id']}", json={"draft": False})
    assert published.json()["draft"] is False
    assert dev.get(f"{RELEASES}/tags/v1.1.0")["id"] == second["id"]


def test_two_that_publish_one_tag_at_once_make_one_release(scene: Scene, dev: Person, reviewer: Person) -> None:
    answers: list[int] = []

    def publish(person: Person) -> None:
        answers.append(person.api("POST", RELEASES, json={"tag_name": "v1.0.0"}).status_code)

    threads = [threading.Thread(target=publish, args=(person,)) for person in (dev, reviewer) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, *[422] * 5]
    assert len(dev.get(RELEASES)) == 1


def test_lists_may_lag_behind_but_lookups_do_not(scene: Scene, dev: Person) -> None:
    scene.github.instance.lag = 2
    release = dev.post(RELEASES, {"tag_name": "v1.0.0"})
    assert dev.get(f"{RELEASES}/{release['id']}")["tag_name"] == "v1.0.0"
    assert dev.get(f"{RELEASES}/tags/v1.0.0")["id"] == release["id"]
    assert [len(dev.get(RELEASES)) for _ in range(3)] == [0, 0, 1]
    assert [len(dev.get(f"/repos/{REPOSITORY}/tags")) for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"tag_name": ""}, "missing_field"),
        ({"tag_name": "v1", "target_commitish": "nowhere"}, "invalid"),
        ({"tag_name": "v1", "body": "x" * 125_001}, "custom"),
    ],
)
def test_releases_that_cannot_be(dev: Person, body: dict[str, str], code: str) -> None:
    answer = dev.api("POST", RELEASES, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert dev.get(RELEASES) == []


def test_generated_notes_name_pull_requests_and_newcomers(scene: Scene, dev: Person, tmp_path: Path) -> None:
    dev.post(RELEASES, {"tag_name": "v1.0.0"})
    checkout = dev.clone(tmp_path / "clone")
    dev.git("checkout", "-q", "-b", "feature", cwd=checkout)
    dev.commit(checkout, "a", "a", "feat: a")
    dev.git("push", "-q", "origin", "feature", cwd=checkout)
    dev.post(f"/repos/{REPOSITORY}/pulls", {"title": "Add a", "head": "feature", "base": "main"})
    dev.api("PUT", f"/repos/{REPOSITORY}/pulls/1/merge", json={})
    notes = dev.post(f"{RELEASES}/generate-notes", {"tag_name": "v1.1.0"}, status=200)
    assert notes["body"].splitlines() == [
        "## What's Changed",
        f"* Add a by @dev-1 in {scene.url}/{REPOSITORY}/pull/1",
        "",
        "## New Contributors",
        f"* @dev-1 made their first contribution in {scene.url}/{REPOSITORY}/pull/1",
        "",
        "",
        f"**Full Changelog**: {scene.url}/{REPOSITORY}/compare/v1.0.0...v1.1.0",
    ]
    release = dev.post(RELEASES, {"tag_name": "v1.1.0", "generate_release_notes": True, "body": "Read this first."})
    assert release["body"] == f"Read this first.\n\n{notes['body']}"


def test_a_release_by_a_job_starts_nothing(scene: Scene) -> None:
    job = scene.job_token({"contents": "write"})
    made = job.post(RELEASES, {"tag_name": "v1.0.0"})
    assert made["author"]["login"] == "github-actions[bot]"
    assert scene.events("release") == scene.events("push") == scene.events("create") == []


def test_an_attestation_is_found_by_the_digest_of_its_subject(scene: Scene, dev: Person) -> None:
    digest = hashlib.sha256(b"asset").hexdigest()
    statement = {"predicateType": "https://slsa.dev/provenance/v1", "subject": [{"digest": {"sha256": digest}}]}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": {"payload": payload}}
    job = scene.job_token({"attestations": "write"})
    job.post(f"/repos/{REPOSITORY}/attestations", {"bundle": bundle})
    path = f"/repos/{REPOSITORY}/attestations/sha256:{digest}"
    (found,) = dev.get(path)["attestations"]
    assert found["bundle"] == bundle
    assert dev.api("GET", f"{path}?predicate_type=other").status_code == 404
    assert dev.api("GET", f"/repos/{REPOSITORY}/attestations/sha256:{'0' * 64}").status_code == 404
    assert job.api("POST", f"/repos/{REPOSITORY}/attestations", json={"bundle": {}}).status_code == 422


def test_the_source_of_a_release_can_be_downloaded(dev: Person) -> None:
    release = dev.post(RELEASES, {"tag_name": "v1.0.0"})
    archive = dev.api("GET", release["zipball_url"].removeprefix(dev.url))
    names = zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
    assert any(name.endswith("/README.md") and name.startswith("techmate-platform-") for name in names)
    assert dev.api("GET", release["tarball_url"].removeprefix(dev.url)).content[:2] == b"\x1f\x8b"
