"""Issues, comments, labels, and the events they make."""

from __future__ import annotations

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

ISSUES = f"/repos/{REPOSITORY}/issues"


def test_an_issue_with_labels_is_opened_changed_and_closed(scene: Scene, dev: Person) -> None:
    issue = dev.post(ISSUES, {"title": "Approve v1.0.0", "body": "…", "labels": ["approval", {"name": "production"}]})
    assert [label["name"] for label in issue["labels"]] == ["approval", "production"]
    assert scene.events("issues")[-1].payload["action"] == "opened"
    changed = dev.api("PATCH", f"{ISSUES}/1", json={"state": "closed", "state_reason": "not_planned", "body": None})
    assert (changed.json()["state"], changed.json()["state_reason"], changed.json()["body"]) == (
        "closed",
        "not_planned",
        None,
    )
    assert changed.json()["closed_by"]["login"] == "dev-1"
    assert dev.get(ISSUES) == []
    assert [one["number"] for one in dev.get(f"{ISSUES}?state=all&labels=approval,production")] == [1]
    assert dev.get(f"{ISSUES}?state=all&creator=dev-2") == []
    assert dev.api("DELETE", f"{ISSUES}/1/labels/approval").json()[0]["name"] == "production"
    assert dev.api("DELETE", f"{ISSUES}/1/labels/approval").status_code == 404


def test_comments_are_kept_edited_and_deleted(scene: Scene, dev: Person) -> None:
    dev.post(ISSUES, {"title": "T"})
    comment = dev.post(f"{ISSUES}/1/comments", {"body": "/approve sha256:ab"})
    event = scene.events("issue_comment")[-1]
    assert (event.payload["comment"]["body"], event.ref) == ("/approve sha256:ab", "refs/heads/main")
    assert event.sha == scene.main()
    path = f"{ISSUES}/comments/{comment['id']}"
    dev.api("PATCH", path, json={"body": "changed"})
    assert [one["body"] for one in dev.get(f"{ISSUES}/1/comments")] == ["changed"]
    assert scene.events("issue_comment")[-1].payload["changes"] == {"body": {"from": "/approve sha256:ab"}}
    assert dev.api("DELETE", path).status_code == 204
    assert dev.api("GET", path).status_code == 404
    assert dev.api("POST", f"{ISSUES}/1/comments", json={"body": " "}).status_code == 422


def test_readers_comment_but_change_only_their_own(scene: Scene, dev: Person) -> None:
    dev.post(ISSUES, {"title": "T"})
    comment = dev.post(f"{ISSUES}/1/comments", {"body": "mine"})
    reader = scene.person("on-call")
    own = reader.post(f"{ISSUES}/1/comments", {"body": "theirs"})
    assert reader.api("PATCH", f"{ISSUES}/comments/{comment['id']}", json={"body": "x"}).status_code == 403
    assert reader.api("DELETE", f"{ISSUES}/comments/{own['id']}").status_code == 204
    assert reader.api("PATCH", f"{ISSUES}/1", json={"title": "x"}).status_code == 403


def test_a_comment_by_a_job_starts_nothing_and_shows_who_it_is(scene: Scene, dev: Person) -> None:
    dev.post(ISSUES, {"title": "T"})
    job = scene.job_token({"issues": "write"})
    comment = job.post(f"{ISSUES}/1/comments", {"body": "Report"})
    assert comment["user"]["login"] == "github-actions[bot]"
    assert comment["user"]["type"] == "Bot"
    assert comment["performed_via_github_app"]["slug"] == "github-actions"
    assert scene.events("issue_comment") == []


def test_long_lists_come_in_pages(dev: Person) -> None:
    dev.post(ISSUES, {"title": "T"})
    for number in range(7):
        dev.post(f"{ISSUES}/1/comments", {"body": str(number)})
    answer = dev.api("GET", f"{ISSUES}/1/comments?per_page=3&page=2")
    assert [one["body"] for one in answer.json()] == ["3", "4", "5"]
    links = answer.links
    assert set(links) == {"prev", "first", "next", "last"}
    assert [one["body"] for one in dev.get(links["last"]["url"].removeprefix(dev.url))] == ["6"]
