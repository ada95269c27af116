"""Every address of a page that the REST API gives leads to one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.rehearsal.github.pages.visitor import Visitor
from tests.rehearsal.github.runs.test_pages_runs import dispatch
from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

REST = f"/repos/{REPOSITORY}"
PAGES = (
    "html_url",
    "blob_href",
    "badge_url",
    "avatar_url",
    "diff_url",
    "patch_url",
    "permalink_url",
    "blob_url",
    "raw_url",
)
PAGES_OF_LINKS = ("html",)


def addresses(body: Any) -> Iterator[str]:
    """The pages named anywhere in an answer."""
    if isinstance(body, list):
        for one in body:
            yield from addresses(one)
    elif isinstance(body, dict):
        for name, value in body.items():
            if name in (*PAGES, *PAGES_OF_LINKS) and isinstance(value, str) and value.startswith("http"):
                yield value
            else:
                yield from addresses(value)


def prepare(scene: Scene, manager: Person, tmp_path: Path) -> list[str]:
    """A repository with one of everything; the paths of the API that list it."""
    clone = manager.clone(tmp_path / "clone")
    manager.git("switch", "-q", "-c", "topic", cwd=clone)
    sha = manager.commit(clone, "docs/a b.md", "# a\n", "docs: a")
    manager.git("push", "-q", "origin", "topic", cwd=clone)
    manager.post(f"{REST}/pulls", {"title": "docs", "head": "topic", "base": "main"})
    review = {"event": "COMMENT", "body": "hm"}
    manager.post(f"{REST}/pulls/1/reviews", review, status=200)
    manager.post(f"{REST}/issues", {"title": "issue"})
    for number in (1, 2):
        manager.post(f"{REST}/issues/{number}/comments", {"body": "hello"})
    manager.post(f"{REST}/releases", {"tag_name": "v1.0.0", "name": "One"})
    draft = manager.post(f"{REST}/releases", {"tag_name": "v2.0.0", "name": "Two", "draft": True})
    body = {"ref": "main", "environment": "production", "required_contexts": [], "auto_merge": False}
    manager.post(f"{REST}/deployments", body)
    scene.do(scene.github.seed.protect_tags, REPOSITORY, ("v*",))
    run = dispatch(scene)
    scene.do(scene.runner.finish, run.id)
    note = {"path": "docs/a b.md", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "x"}
    bot = scene.job_token({"checks": "write"})
    for other in scene.runner.runs.values():
        other.head_sha = other.head_sha or scene.main()
    output = {"title": "t", "summary": "s", "annotations": [note]}
    check = {"name": "mine", "head_sha": sha, "status": "completed", "conclusion": "success", "output": output}
    made = bot.post(f"{REST}/check-runs", check)
    return [
        "",
        "/pulls?state=all",
        "/pulls/1",
        "/pulls/1/files",
        "/pulls/1/commits",
        "/pulls/1/reviews",
        "/issues?state=all",
        "/issues/2/comments",
        "/issues/1/comments",
        "/releases",
        f"/releases/{draft['id']}",
        "/deployments",
        "/environments",
        "/rulesets",
        "/actions/workflows",
        "/actions/runs",
        f"/actions/runs/{run.id}/jobs",
        f"/commits/{sha}",
        f"/commits/{sha}/check-runs",
        f"/check-runs/{made['id']}/annotations",
        "/compare/main...topic",
        "/contents/docs/a%20b.md?ref=topic",
        "/branches/main",
        "/collaborators",
    ]


def test_every_address_of_a_page_leads_to_one(
    scene: Scene, manager: Person, manager_browser: Visitor, tmp_path: Path
) -> None:
    listed = prepare(scene, manager, tmp_path)
    found = {address for path in listed for address in addresses(manager.get(REST + path))}
    assert len(found) > 40
    missing = []
    for address in sorted(found):
        answer = manager_browser.web.get(address, timeout=30)
        if answer.status_code != 200 or not answer.content:
            missing.append(f"{answer.status_code} {address}")
    assert missing == []


def test_every_link_on_a_page_leads_to_a_page(
    scene: Scene, manager: Person, manager_browser: Visitor, tmp_path: Path
) -> None:
    prepare(scene, manager, tmp_path)
    seen: set[str] = set()
    waiting = ["/", f"/{REPOSITORY}"]
    while waiting and len(seen) < 400:
        path = waiting.pop()
        page = manager_browser.open(path)
        for link in page.links.values():
            target = link.partition("#")[0]
            if target.startswith("/") and target not in seen:
                seen.add(target)
                waiting.append(target)
    assert len(seen) > 50
