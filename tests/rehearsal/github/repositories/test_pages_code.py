"""Files, commits and comparisons; and releases and deployments, which point to them."""

from __future__ import annotations

from pathlib import Path

from rehearsal.github.repositories.pages.ref_paths import find
from tests.rehearsal.github.pages.visitor import Visitor
from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

BASE = f"/{REPOSITORY}"


def test_the_overview_shows_files_commits_and_the_readme(anyone: Visitor) -> None:
    page = anyone.open(BASE)
    assert {"apps", "README.md", "Initial commit", "main", "CI", "Deploy to Production"} <= set(page.links)
    assert '<h1 id="user-content-platform">Platform</h1>' in page.html
    assert "app.py" in anyone.open(page.links["apps"] + "/backend").links


def test_an_empty_repository_says_how_to_fill_it(anyone: Visitor, scene: Scene) -> None:
    scene.run(scene.github.seed.repository("techmate/empty"))
    assert f"git push {scene.url}/techmate/empty.git main" in anyone.open("/techmate/empty").text
    for path in ("/actions", "/pulls", "/issues", "/releases", "/deployments"):
        anyone.open(f"/techmate/empty{path}")
    anyone.open("/techmate/empty/commits/main", status=404)


def test_a_file_is_shown_line_by_line_and_raw(anyone: Visitor, scene: Scene) -> None:
    page = anyone.open(f"{BASE}/blob/main/apps/backend/app.py")
    assert ("div", {"class": "line", "id": "L1"}) in page.tags
    raw = anyone.web.get(scene.url + page.links["Raw"], timeout=30)
    assert (raw.text, raw.headers["content-type"]) == ("print('hello')\n", "text/plain; charset=utf-8")


def test_a_web_page_in_the_repository_does_not_run(anyone: Visitor, dev: Person, scene: Scene, tmp_path: Path) -> None:
    clone = dev.clone(tmp_path / "clone")
    dev.commit(clone, "x.html", "<script>alert(1)</script>", "page")
    dev.git("push", "-q", "origin", "HEAD:refs/heads/x", cwd=clone)
    raw = anyone.web.get(f"{scene.url}{BASE}/raw/x/x.html", timeout=30)
    assert raw.headers["content-type"].startswith("text/plain")
    assert (
        "sandbox" in raw.headers["content-security-policy"]
        or "default-src 'none'" in raw.headers["content-security-policy"]
    )
    assert anyone.open(f"{BASE}/blob/x/x.html").html.count("<script>") == 1


def test_odd_names_of_branches_and_files_lead_where_they_should(
    anyone: Visitor, dev: Person, scene: Scene, tmp_path: Path
) -> None:
    clone = dev.clone(tmp_path / "clone")
    branch, file = "$(touch-x)/a#b%20c&d", "what? #1/a b%41&<i>.txt"
    dev.commit(clone, file, "odd\n", "odd <b>names</b>")
    dev.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}", cwd=clone)
    page = anyone.open(BASE)
    tree = anyone.open(page.links[branch])
    folder = anyone.open(tree.links["what? #1"])
    blob = anyone.open(folder.links["a b%41&<i>.txt"])
    assert "odd" in blob.text
    assert "<i>" not in blob.html
    commits = anyone.open(tree.links["Commits"])
    assert "odd <b>names</b>" in commits.links
    assert (
        "odd <b>names</b>"
        in anyone.open(f"{BASE}/compare/main...{branch.replace('%', '%25').replace('#', '%23')}").text
    )


def test_a_name_of_a_branch_may_hold_slashes(scene: Scene, dev: Person, tmp_path: Path) -> None:
    clone = dev.clone(tmp_path / "clone")
    for name in ("release/1.x", "v1.0.0"):
        dev.git("push", "-q", "origin", f"HEAD:refs/{'heads' if '/' in name else 'tags'}/{name}", cwd=clone)
    git = scene.github.instance.git(scene.github.instance.repository(REPOSITORY))
    places = [scene.run(find(git, text)) for text in ("release/1.x/apps/backend", "v1.0.0/README.md", scene.main()[:8])]
    assert [(place.ref, place.path) for place in places] == [
        ("release/1.x", "apps/backend"),
        ("v1.0.0", "README.md"),
        (scene.main()[:8], ""),
    ]
    assert {place.sha for place in places} == {scene.main()}


def test_a_commit_shows_its_message_checks_and_changes(anyone: Visitor, dev: Person, scene: Scene) -> None:
    status = {"state": "success", "context": "lint", "description": "fine", "target_url": "javascript:alert(1)"}
    dev.post(f"/repos/{REPOSITORY}/statuses/{scene.main()}", status)
    page = anyone.open(f"{BASE}/commit/{scene.main()}")
    assert "Initial commit" in page.text
    assert "lint" in page.text
    assert "javascript:" not in page.html
    assert "README.md" in page.text
    anyone.open(f"{BASE}/commit/{'0' * 40}", status=404)


def test_differences_are_there_for_tools(anyone: Visitor, dev: Person, scene: Scene, tmp_path: Path) -> None:
    clone = dev.clone(tmp_path / "clone")
    dev.commit(clone, "a.txt", "a\n", "add a")
    dev.git("push", "-q", "origin", "HEAD:refs/heads/more", cwd=clone)
    diff = anyone.web.get(f"{scene.url}{BASE}/compare/main...more.diff", timeout=30)
    assert diff.text.startswith("diff --git a/a.txt b/a.txt")
    patch = anyone.web.get(f"{scene.url}{BASE}/compare/main...more.patch", timeout=30)
    assert "Subject: [PATCH] add a" in patch.text
    anyone.open(f"{BASE}/compare/main...gone", status=404)


def release(manager: Person, **more: object) -> dict[str, object]:
    body = {"tag_name": "v1.0.0", "name": "One", "body": "### Fixes\n\n- it, see #7", **more}
    made: dict[str, object] = manager.post(f"/repos/{REPOSITORY}/releases", body)
    return made


def test_a_release_shows_its_notes_and_assets(anyone: Visitor, manager: Person, scene: Scene) -> None:
    made = release(manager)
    upload = str(made["upload_url"]).partition("{")[0].removeprefix(scene.url)
    headers = {"Content-Type": "text/plain"}
    assert manager.api("POST", f"{upload}?name=SHA256SUMS", data=b"sums", headers=headers).status_code == 201
    page = anyone.open(f"{BASE}/releases")
    assert "Latest" in page.text
    assert "<h3>Fixes</h3>" in page.html
    assert page.links["#7"] == f"{BASE}/issues/7"
    one = anyone.open(page.links["One"])
    digest = scene.github.instance.repository(REPOSITORY).releases[int(str(made["id"]))].assets[0].digest
    assert digest in one.text
    assert anyone.web.get(scene.url + one.links["SHA256SUMS"], timeout=30).content == b"sums"
    assert anyone.open(f"{BASE}/releases/latest").url == one.url


def test_drafts_are_for_those_who_may_write(
    anyone: Visitor, manager_browser: Visitor, manager: Person, scene: Scene
) -> None:
    made = release(manager, draft=True)
    assert "One" not in anyone.open(f"{BASE}/releases").links
    page = manager_browser.open(manager_browser.open(f"{BASE}/releases").links["One"])
    assert page.url == made["html_url"]
    assert "Draft" in page.text
    anyone.open(str(made["html_url"]).removeprefix(scene.url), status=404)


def test_a_page_of_releases_uses_up_no_lag_of_the_lists(anyone: Visitor, manager: Person, scene: Scene) -> None:
    scene.github.instance.lag = 2
    release(manager)
    assert "One" in anyone.open(f"{BASE}/releases").links
    assert manager.get(f"/repos/{REPOSITORY}/releases") == []


def test_deployments_show_what_is_live_and_what_was(anyone: Visitor, manager: Person) -> None:
    for version in ("v1", "v2"):
        body = {"ref": "main", "environment": "production", "description": f"{version} <b>", "required_contexts": []}
        body |= {"auto_merge": False, "task": "shipmate:release", "payload": {"digest": "sha256:ab"}}
        made = manager.post(f"/repos/{REPOSITORY}/deployments", body)
        for state in ("in_progress", "success" if version == "v1" else "failure"):
            status = {"state": state, "description": f"{version} {state}", "log_url": "javascript:alert(1)"}
            manager.post(f"/repos/{REPOSITORY}/deployments/{made['id']}/statuses", status)
    page = anyone.open(f"{BASE}/deployments")
    assert (
        page.text.index("v2 <b>")
        < page.text.index("v1 <b>")
        < page.text.index("Live")
        < page.text.index("v1 in_progress")
    )
    assert "sha256:ab" in page.text
    assert "javascript:" not in page.html
    one = anyone.open(page.links["production"])
    assert "v2 failure" in one.text
    anyone.open(f"{BASE}/deployments/nowhere", status=404)


def test_a_deployment_of_a_job_is_called_by_its_run_and_its_job(anyone: Visitor, manager: Person) -> None:
    inputs = {"ref": "main", "inputs": {"version": "v1.0.0"}}
    manager.api("POST", f"/repos/{REPOSITORY}/actions/workflows/deploy-production.yml/dispatches", json=inputs)
    assert "Deploy to Production: deploy" in anyone.open(f"{BASE}/deployments").text
    assert "Deploy to Production: deploy" in anyone.open(f"{BASE}/deployments/production").text


def test_an_environment_says_what_protects_it(anyone: Visitor, scene: Scene) -> None:
    scene.do(
        scene.github.seed.environment,
        REPOSITORY,
        "production",
        reviewers=("release-manager",),
        prevent_self_review=True,
        wait_minutes=5,
        branches=("main",),
    )
    text = anyone.open(f"{BASE}/deployments").text
    assert "reviewed by release-manager, not by who started the run" in text
    assert "waits 5 min" in text
    assert "only from main" in text
