"""Refs, git objects, commits, comparisons, files."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

HERE = f"/repos/{REPOSITORY}"


@pytest.fixture
def history(dev: Person, tmp_path: Path) -> list[str]:
    """Three commits on main beyond the first, the last of them also tagged."""
    checkout = dev.clone(tmp_path / "history")
    dev.git("mv", "README.md", "READ.md", cwd=checkout)
    shas = [dev.commit(checkout, "one.txt", "one\n", "fix: one")]
    shas.append(dev.commit(checkout, "one.txt", "one\ntwo\n", "feat: two\n\nWith a body."))
    (checkout / "image.bin").write_bytes(bytes(range(256)))
    shas.append(dev.commit(checkout, "größe.txt", "ü\n", "feat: ünïcode"))
    dev.git("tag", "-a", "v1.0.0", "-m", "First", cwd=checkout)
    dev.git("push", "-q", "origin", "main", "v1.0.0", cwd=checkout)
    return shas


def test_references_are_made_once_moved_and_removed(scene: Scene, dev: Person, history: list[str]) -> None:
    made = dev.post(f"{HERE}/git/refs", {"ref": "refs/heads/release/1.x", "sha": history[0]})
    assert (made["ref"], made["object"]["sha"]) == ("refs/heads/release/1.x", history[0])
    assert scene.events("push")[-1].ref == "refs/heads/release/1.x"
    again = dev.api("POST", f"{HERE}/git/refs", json={"ref": "refs/heads/release/1.x", "sha": history[0]})
    assert (again.status_code, again.json()["message"]) == (422, "Reference already exists")
    path = f"{HERE}/git/refs/heads/release/1.x"
    assert dev.api("PATCH", path, json={"sha": history[1]}).json()["object"]["sha"] == history[1]
    back = dev.api("PATCH", path, json={"sha": history[0]})
    assert (back.status_code, back.json()["message"]) == (422, "Update is not a fast forward")
    assert dev.api("PATCH", path, json={"sha": history[0], "force": True}).status_code == 200
    assert [ref["ref"] for ref in dev.get(f"{HERE}/git/matching-refs/heads/rel")] == ["refs/heads/release/1.x"]
    assert dev.api("DELETE", path).status_code == 204
    assert dev.api("GET", f"{HERE}/git/ref/heads/release/1.x").status_code == 404
    wrong = dev.api("POST", f"{HERE}/git/refs", json={"ref": "refs/heads/a b", "sha": history[0]})
    assert wrong.status_code == 422


def test_references_through_the_api_obey_the_same_rules_as_pushes(
    scene: Scene, dev: Person, history: list[str]
) -> None:
    scene.do(scene.github.seed.protect_tags, REPOSITORY, ["v*"])
    scene.do(scene.github.seed.protect_branch, REPOSITORY)
    moved = dev.api("PATCH", f"{HERE}/git/refs/tags/v1.0.0", json={"sha": history[0], "force": True})
    assert moved.status_code == 422
    assert "Repository rule violations found" in moved.json()["message"]
    assert dev.api("DELETE", f"{HERE}/git/refs/tags/v1.0.0").status_code == 422
    pushed = dev.api("PATCH", f"{HERE}/git/refs/heads/main", json={"sha": history[0], "force": True})
    assert pushed.status_code == 422


def test_annotated_tags_are_objects_that_point_at_commits(dev: Person, history: list[str]) -> None:
    ref = dev.get(f"{HERE}/git/ref/tags/v1.0.0")
    assert ref["object"]["type"] == "tag"
    tag = dev.get(f"{HERE}/git/tags/{ref['object']['sha']}")
    assert (tag["tag"], tag["message"], tag["object"]["sha"]) == ("v1.0.0", "First", history[2])
    assert dev.get(f"{HERE}/commits/v1.0.0")["sha"] == history[2]
    made = dev.post(f"{HERE}/git/tags", {"tag": "v1.1.0", "message": "Second", "object": history[2], "type": "commit"})
    assert made["tagger"]["name"] == "dev-1"
    dev.post(f"{HERE}/git/refs", {"ref": "refs/tags/v1.1.0", "sha": made["sha"]})
    listed = {tag["name"]: tag["commit"]["sha"] for tag in dev.get(f"{HERE}/tags")}
    assert listed == {"v1.0.0": history[2], "v1.1.0": history[2]}


def test_a_commit_made_of_blobs_and_trees(scene: Scene, dev: Person) -> None:
    tip = scene.main()
    blob = dev.post(f"{HERE}/git/blobs", {"content": base64.b64encode(b"\x00\x01").decode(), "encoding": "base64"})
    entries = [
        {"path": "bin/data", "mode": "100644", "type": "blob", "sha": blob["sha"]},
        {"path": "text", "mode": "100644", "type": "blob", "content": "hello"},
        {"path": "README.md", "mode": "100644", "type": "blob", "sha": None},
    ]
    base = dev.get(f"{HERE}/git/commits/{tip}")["tree"]["sha"]
    tree = dev.post(f"{HERE}/git/trees", {"base_tree": base, "tree": entries})
    commit = dev.post(f"{HERE}/git/commits", {"message": "By API", "tree": tree["sha"], "parents": [tip]})
    dev.api("PATCH", f"{HERE}/git/refs/heads/main", json={"sha": commit["sha"]})
    paths = {entry["path"] for entry in dev.get(f"{HERE}/git/trees/main?recursive=1")["tree"]}
    assert {"bin/data", "text"} <= paths
    assert "README.md" not in paths
    found = dev.get(f"{HERE}/git/blobs/{blob['sha']}")
    assert base64.b64decode(found["content"]) == b"\x00\x01"
    missing = dev.api("POST", f"{HERE}/git/commits", json={"message": "x", "tree": "0" * 40})
    assert missing.status_code == 422


def test_commits_are_listed_filtered_and_paged(dev: Person, history: list[str]) -> None:
    first = dev.api("GET", f"{HERE}/commits?per_page=2")
    assert [commit["sha"] for commit in first.json()] == [history[2], history[1]]
    assert 'page=2>; rel="next"' in first.headers["link"]
    second = dev.get(f"{HERE}/commits?per_page=2&page=2")
    assert second[0]["sha"] == history[0]
    assert [one["sha"] for one in dev.get(f"{HERE}/commits?path=one.txt")] == [history[1], history[0]]
    assert dev.get(f"{HERE}/commits?sha={history[0]}&author=dev-1")[0]["sha"] == history[0]
    assert dev.get(f"{HERE}/commits?until=2020-01-01T00:00:00Z") == []


def test_a_commit_lists_its_files(dev: Person, history: list[str]) -> None:
    commit = dev.get(f"{HERE}/commits/{history[0]}")
    files: dict[str, Any] = {file["filename"]: file for file in commit["files"]}
    assert (files["READ.md"]["status"], files["READ.md"]["previous_filename"]) == ("renamed", "README.md")
    assert (files["one.txt"]["status"], files["one.txt"]["additions"]) == ("added", 1)
    assert commit["stats"] == {"total": 1, "additions": 1, "deletions": 0}
    accept = {"Accept": "application/vnd.github.sha"}
    assert dev.api("GET", f"{HERE}/commits/main", headers=accept).text == history[2]
    assert dev.api("GET", f"{HERE}/commits/nowhere").status_code == 422


def test_comparisons_say_how_two_commits_lie_to_each_other(scene: Scene, dev: Person, history: list[str]) -> None:
    ahead = dev.get(f"{HERE}/compare/{history[0]}...main")
    assert (ahead["status"], ahead["ahead_by"], ahead["behind_by"]) == ("ahead", 2, 0)
    assert [one["sha"] for one in ahead["commits"]] == history[1:]
    assert {file["filename"] for file in ahead["files"]} == {"one.txt", "größe.txt"}
    assert dev.get(f"{HERE}/compare/main...{history[0]}")["status"] == "behind"
    assert dev.get(f"{HERE}/compare/main...v1.0.0")["status"] == "identical"
    side = dev.post(f"{HERE}/git/refs", {"ref": "refs/heads/side", "sha": history[0]})
    content = {"message": "m", "content": base64.b64encode(b"x").decode(), "branch": "side"}
    dev.api("PUT", f"{HERE}/contents/side.txt", json=content)
    diverged = dev.get(f"{HERE}/compare/main...side")
    assert (diverged["status"], diverged["merge_base_commit"]["sha"]) == ("diverged", side["object"]["sha"])
    paged = dev.api("GET", f"{HERE}/compare/{history[0]}...main?per_page=1&page=2")
    assert [one["sha"] for one in paged.json()["commits"]] == [history[2]]
    assert "files" not in paged.json()
    assert dev.api("GET", f"{HERE}/compare/main...nowhere").status_code == 404


def test_files_and_folders(dev: Person, history: list[str]) -> None:
    file = dev.get(f"{HERE}/contents/one.txt")
    assert base64.b64decode(file["content"]) == b"one\ntwo\n"
    earlier = dev.get(f"{HERE}/contents/one.txt?ref={history[0]}")
    assert base64.b64decode(earlier["content"]) == b"one\n"
    assert [(entry["name"], entry["type"]) for entry in dev.get(f"{HERE}/contents/apps")] == [("backend", "dir")]
    assert base64.b64decode(dev.get(f"{HERE}/contents/größe.txt")["content"]) == "ü\n".encode()
    raw = dev.api("GET", f"{HERE}/contents/one.txt", headers={"Accept": "application/vnd.github.raw+json"})
    assert raw.text == "one\ntwo\n"
    assert dev.api("GET", f"{HERE}/contents/missing").status_code == 404


def test_a_file_is_replaced_by_who_knows_what_it_was(scene: Scene, dev: Person) -> None:
    path = f"{HERE}/contents/README.md"
    body = {"message": "Rewrite", "content": base64.b64encode(b"new").decode()}
    assert dev.api("PUT", path, json=body).status_code == 422
    done = dev.api("PUT", path, json={**body, "sha": dev.get(path)["sha"]})
    assert done.json()["commit"]["sha"] == scene.main()


def test_branches_and_their_protection(scene: Scene, dev: Person, manager: Person) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"], reviews=2)
    (branch,) = dev.get(f"{HERE}/branches")
    assert (branch["name"], branch["protected"]) == ("main", True)
    assert dev.get(f"{HERE}/branches/main")["protection"]["required_status_checks"]["contexts"] == ["ci"]
    protection = manager.get(f"{HERE}/branches/main/protection")
    assert protection["required_pull_request_reviews"]["required_approving_review_count"] == 2
    assert protection["enforce_admins"]["enabled"] is True
    assert (
        dev.api(
            "PUT",
            f"{HERE}/branches/main/protection",
            json={
                "required_status_checks": None,
                "enforce_admins": None,
                "required_pull_request_reviews": None,
                "restrictions": None,
            },
        ).status_code
        == 403
    )
    wanted = {
        "required_status_checks": {"strict": True, "contexts": ["ci", "e2e"]},
        "enforce_admins": False,
        "required_pull_request_reviews": None,
        "restrictions": {"users": ["release-manager"], "teams": []},
    }
    changed = manager.api("PUT", f"{HERE}/branches/main/protection", json=wanted).json()
    assert changed["required_status_checks"]["contexts"] == ["ci", "e2e"]
    assert [user["login"] for user in changed["restrictions"]["users"]] == ["release-manager"]
    assert manager.api("DELETE", f"{HERE}/branches/main/protection").status_code == 204
    assert manager.api("GET", f"{HERE}/branches/main/protection").status_code == 404


def test_rulesets_made_through_the_api_are_enforced(scene: Scene, manager: Person, dev: Person) -> None:
    ruleset = manager.post(
        f"{HERE}/rulesets",
        {
            "name": "main",
            "target": "branch",
            "enforcement": "active",
            "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
            "bypass_actors": [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}],
            "rules": [{"type": "update"}],
        },
    )
    assert [one["name"] for one in dev.get(f"{HERE}/rulesets")] == ["main"]
    assert [rule["type"] for rule in dev.get(f"{HERE}/rules/branches/main")] == ["update"]
    body = {"message": "m", "content": base64.b64encode(b"x").decode()}
    assert dev.api("PUT", f"{HERE}/contents/x", json=body).status_code == 422
    assert manager.api("PUT", f"{HERE}/contents/x", json=body).status_code == 201, "administrators are let through"
    assert manager.api("DELETE", f"{HERE}/rulesets/{ruleset['id']}").status_code == 204
    assert dev.api("PUT", f"{HERE}/contents/y", json=body).status_code == 201


def test_an_unchanged_answer_costs_no_bytes(dev: Person) -> None:
    first = dev.api("GET", "/user")
    second = dev.api("GET", "/user", headers={"If-None-Match": first.headers["etag"]})
    assert (second.status_code, second.content) == (304, b"")
    assert first.headers["x-ratelimit-limit"] == "5000"
