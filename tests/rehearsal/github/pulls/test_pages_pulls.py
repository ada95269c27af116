"""Pull requests and issues for people: conversation, checks, changes, review, merge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.github.checks.state import CheckAnnotation
from tests.rehearsal.github.pages.visitor import Document, Visitor
from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

BASE = f"/{REPOSITORY}"


@pytest.fixture
def pull(scene: Scene, dev: Person, tmp_path: Path) -> int:
    """#1 by dev-1: `greet` into main."""
    clone = dev.clone(tmp_path / "clone")
    dev.git("switch", "-q", "-c", "greet", cwd=clone)
    dev.commit(clone, "apps/backend/app.py", "print('hello')\nprint('you')\n", "feat: greet")
    dev.git("push", "-q", "origin", "greet", cwd=clone)
    body = {"title": "feat: greet", "head": "greet", "base": "main", "body": "Greets **you**."}
    return int(dev.post(f"/repos/{REPOSITORY}/pulls", body)["number"])


def page_of(visitor: Visitor, number: int) -> Document:
    return visitor.open(f"{BASE}/pull/{number}")


def finish_checks(scene: Scene, conclusion: str = "success") -> None:
    for run in list(scene.runner.runs.values()):
        scene.do(scene.runner.finish, run.id, conclusion)


def test_a_pull_request_shows_what_it_brings(anyone: Visitor, scene: Scene, pull: int) -> None:
    finish_checks(scene)
    page = page_of(anyone, pull)
    assert "<strong>you</strong>" in page.html
    assert "1 file changed +1 −0" in " ".join(page.text.split())
    assert "+print('you')" in page.text
    assert page.links["ci"].startswith(f"{BASE}/actions/runs/")
    assert anyone.open(page.links["ci"]).status == 200
    assert "feat: greet" in anyone.open(page.links["feat: greet"]).text


def test_annotations_stand_on_the_lines_of_the_change(anyone: Visitor, scene: Scene, pull: int) -> None:
    finish_checks(scene, "failure")
    (check,) = scene.github.instance.repository(REPOSITORY).check_runs.values()
    for line, message in ((2, "here <b>"), (77, "far away")):
        note = CheckAnnotation(
            path="apps/backend/app.py", start_line=line, end_line=line, level="failure", message=message
        )
        check.annotations.append(note)
    html = page_of(anyone, pull).html
    assert html.index("print(&#39;you&#39;)") < html.index("here &lt;b&gt;")
    assert html.index("far away") < html.index("@@ -1")


def test_what_is_missing_for_a_merge_is_reported_and_the_button_waits(dev_1: Visitor, scene: Scene, pull: int) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=("ci", "never-reported"))
    finish_checks(scene, "failure")
    page = page_of(dev_1, pull)
    assert "This cannot be merged yet" in page.text
    assert "At least 1 approving review is required" in page.text
    assert 'Required status check "ci" is failing.' in page.text
    assert "never-reported" in page.text
    assert page.form("Merge pull request")[1].disabled


def test_where_there_is_a_queue_it_is_merged_when_ready(
    dev_1: Visitor, manager_browser: Visitor, scene: Scene, pull: int, manager: Person
) -> None:
    rules = [
        {"type": "merge_queue"},
        {
            "type": "required_status_checks",
            "parameters": {
                "required_status_checks": [{"context": "ci"}],
                "strict_required_status_checks_policy": False,
            },
        },
    ]
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    bypass = [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"}]
    ruleset = {"name": "main", "enforcement": "active", "conditions": conditions, "rules": rules}
    manager.post(f"/repos/{REPOSITORY}/rulesets", {**ruleset, "bypass_actors": bypass})
    assert page_of(dev_1, pull).form("Merge when ready")[1].disabled
    finish_checks(scene)
    page = page_of(dev_1, pull)
    assert "Merge pull request" not in page.buttons()
    queued = dev_1.press(page, "Merge when ready")
    assert "Added to the merge queue of main." in queued.text
    assert "In the merge queue, position 1" in queued.text
    assert scene.github.instance.repository(REPOSITORY).pulls[pull].queue_entry is not None
    removed = dev_1.press(queued, "Remove from the queue")
    assert "Removed from the merge queue of main." in removed.text
    assert "Merge when ready" in removed.buttons()
    assert "Merge pull request" in page_of(manager_browser, pull).buttons(), "who may bypass the queue merges at once"


def test_reviewed_and_green_it_is_merged(dev_1: Visitor, dev_2: Visitor, scene: Scene, pull: int) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=("ci",))
    finish_checks(scene)
    dev_2.press(page_of(dev_2, pull), "Submit review", kind="APPROVE", body="Good.")
    page = page_of(dev_1, pull)
    assert "This can be merged" in page.text
    assert "approved these changes" in page.text
    merged = dev_1.press(page, "Merge pull request", method="squash")
    repository = scene.github.instance.repository(REPOSITORY)
    assert repository.pulls[pull].merged_by == "dev-1"
    assert repository.pulls[pull].merge_sha == scene.main()
    assert f"Merged as {scene.main()[:7]}." in merged.text
    assert "merged this as" in merged.text
    assert "Merge pull request" not in merged.buttons()


def test_a_head_that_moved_meanwhile_is_not_merged(
    dev_1: Visitor, dev: Person, scene: Scene, pull: int, tmp_path: Path
) -> None:
    page = page_of(dev_1, pull)
    clone = tmp_path / "clone"
    dev.commit(clone, "b.txt", "b", "more")
    dev.git("push", "-q", "origin", "greet", cwd=clone)
    after = dev_1.press(page, "Merge pull request")
    assert "Head branch was modified. Review and try the merge again." in after.text
    assert scene.github.instance.repository(REPOSITORY).pulls[pull].merged_at is None


def test_a_conflict_says_what_to_do(dev_1: Visitor, scene: Scene, pull: int) -> None:
    repository = scene.github.instance.repository(REPOSITORY)
    repository.pulls[pull].mergeable = False
    page = page_of(dev_1, pull)
    assert "greet conflicts with main. Merge main into it, and push." in page.text
    assert page.form("Merge pull request")[1].disabled


def test_nobody_approves_their_own_work(dev_1: Visitor, scene: Scene, pull: int) -> None:
    page = page_of(dev_1, pull)
    assert "This is your own: others approve it." in page.text
    after = dev_1.press(page, "Submit review", kind="APPROVE")
    assert "Can not approve your own pull request" in after.text
    assert scene.github.instance.repository(REPOSITORY).pulls[pull].reviews == []


def test_an_objection_needs_words(dev_2: Visitor, scene: Scene, pull: int) -> None:
    after = dev_2.press(page_of(dev_2, pull), "Submit review", kind="REQUEST_CHANGES")
    assert "A review that does not approve needs a body" in after.text
    dev_2.press(page_of(dev_2, pull), "Submit review", kind="REQUEST_CHANGES", body="Say *please*.")
    page = page_of(dev_2, pull)
    assert "asked for changes" in page.text
    assert "<em>please</em>" in page.html


def test_readers_may_comment_but_not_merge(on_call: Visitor, scene: Scene, pull: int) -> None:
    page = page_of(on_call, pull)
    assert "Merge pull request" not in page.buttons()
    assert "Close pull request" not in page.buttons()
    after = on_call.press(page, "Comment", body="Why?")
    assert "Why?" in after.text
    assert f"{BASE}/pull/{pull}" in after.url
    sent = {"csrf": page.form("Comment")[0].fields["csrf"], "method": "merge"}
    answer = on_call.web.post(f"{scene.url}{BASE}/pull/{pull}/merge", data=sent, timeout=30)
    assert "Must have push access to Repository." in answer.text
    assert scene.github.instance.repository(REPOSITORY).pulls[pull].merged_at is None


def test_a_pull_request_is_closed_and_reopened(dev_1: Visitor, pull: int) -> None:
    page = dev_1.press(page_of(dev_1, pull), "Close pull request")
    assert "closed this" in page.text
    assert "No open pull request." in dev_1.open(f"{BASE}/pulls").text
    assert "feat: greet" in dev_1.open(f"{BASE}/pulls?state=closed").links
    assert "Close pull request" in dev_1.press(page, "Reopen pull request").buttons()


def test_a_pull_request_is_opened_from_what_a_push_points_to(
    dev_1: Visitor, dev: Person, scene: Scene, tmp_path: Path
) -> None:
    clone = dev.clone(tmp_path / "other")
    dev.git("switch", "-q", "-c", "fix/it", cwd=clone)
    dev.commit(clone, "a.txt", "a", "fix: it")
    dev.git("push", "-q", "origin", "fix/it", cwd=clone)
    page = dev_1.open(f"{BASE}/pull/new/fix/it")
    assert page.url.endswith("/compare/main...fix/it")
    made = dev_1.press(page, "Create pull request", body="Now.")
    assert made.url.endswith("/pull/1")
    assert "fix: it" in made.text
    assert "Pull request #1" in dev_1.open(f"{BASE}/compare/main...fix/it").links


def test_a_poll_leaves_the_changes_out_and_tells_the_head(anyone: Visitor, pull: int) -> None:
    page = anyone.open(f"{BASE}/pull/{pull}", **{"x-refresh": "1"})
    assert "print(" not in page.text
    assert 'id="checks"' in page.html
    whole = page_of(anyone, pull)
    assert dict(page.tags)["body"]["data-version"] == dict(whole.tags)["body"]["data-version"]


def test_titles_names_and_comments_from_outside_are_text(dev_1: Visitor, dev: Person, scene: Scene, pull: int) -> None:
    title = "::error::<script>alert(1)</script> $(touch x)"
    dev.api("PATCH", f"/repos/{REPOSITORY}/pulls/{pull}", json={"title": title})
    dev_1.press(page_of(dev_1, pull), "Comment", body="<img src=x onerror=alert(1)>\r\n\r\n<script>alert(2)</script>")
    for path in (f"{BASE}/pull/{pull}", f"{BASE}/pulls", f"{BASE}/actions"):
        page = dev_1.open(path)
        assert page.html.count("<script>") == 1, path
        assert "<img" not in page.html
    assert title in page_of(dev_1, pull).text


def opened_issue(visitor: Visitor, **fields: Any) -> Document:
    return visitor.press(visitor.open(f"{BASE}/issues/new"), "Open issue", **fields)


def test_an_issue_is_opened_answered_and_closed(dev_1: Visitor, dev_2: Visitor) -> None:
    page = opened_issue(dev_1, title="Approve v1.0.0", body="`/approve sha256:ab`")
    assert page.url.endswith("/issues/1")
    answered = dev_2.press(dev_2.open(f"{BASE}/issues/1"), "Comment", body="/approve sha256:ab")
    assert "#issuecomment-" in answered.url
    assert "/approve sha256:ab" in answered.text
    listed = dev_1.open(f"{BASE}/issues")
    assert "1 comment" in listed.text
    assert "Open" in listed.html
    closed = dev_1.press(dev_1.open(f"{BASE}/issues/1"), "Close issue")
    assert "closed this as completed" in closed.text
    assert "No open issue." in dev_1.open(f"{BASE}/issues").text


def test_a_comment_is_an_event_by_its_author(dev_2: Visitor, dev_1: Visitor, scene: Scene) -> None:
    opened_issue(dev_1, title="x")
    dev_2.press(dev_2.open(f"{BASE}/issues/1"), "Comment", body="/approve it")
    (event,) = scene.events("issue_comment")
    assert (event.actor, event.by_workflow_token) == ("dev-2", False)
    assert event.payload["comment"]["body"] == "/approve it"


def test_comments_keep_their_line_ends_as_unix_has_them(dev_1: Visitor, scene: Scene) -> None:
    opened_issue(dev_1, title="x")
    dev_1.press(dev_1.open(f"{BASE}/issues/1"), "Comment", body="one\r\ntwo")
    (comment,) = scene.github.instance.repository(REPOSITORY).comments.values()
    assert comment.body == "one\ntwo"


def test_empty_words_are_not_sent(dev_1: Visitor, scene: Scene) -> None:
    assert "An issue needs a title." in opened_issue(dev_1, title="  ").text
    opened_issue(dev_1, title="x")
    after = dev_1.press(dev_1.open(f"{BASE}/issues/1"), "Comment", body=" \n")
    assert "A comment without words was not sent." in after.text
    assert scene.github.instance.repository(REPOSITORY).comments == {}


def test_strangers_do_not_close_what_is_not_theirs(on_call: Visitor, dev_1: Visitor, scene: Scene) -> None:
    opened_issue(dev_1, title="x")
    page = on_call.open(f"{BASE}/issues/1")
    sent = {"csrf": page.form("Comment")[0].fields["csrf"], "state": "closed"}
    answer = on_call.web.post(f"{scene.url}{BASE}/issues/1/state", data=sent, timeout=30)
    assert "Must have triage access" in answer.text
    assert scene.github.instance.repository(REPOSITORY).issues[1].state == "open"


def test_an_issues_address_leads_to_its_pull_request(anyone: Visitor, pull: int) -> None:
    assert anyone.open(f"{BASE}/issues/{pull}").url.endswith(f"/pull/{pull}")
    assert anyone.open(f"{BASE}/pull/{pull}/files").url.endswith(f"/pull/{pull}#files")
    anyone.open(f"{BASE}/pull/{pull}/else", status=404)
