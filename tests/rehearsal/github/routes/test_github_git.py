"""git itself against this GitHub: clone, push, refusals, and what a push leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene


def test_clone_and_push_a_branch(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout = dev.clone(tmp_path / "clone")
    assert (checkout / "README.md").read_text() == "# Platform\n"
    dev.git("checkout", "-q", "-b", "feature", cwd=checkout)
    sha = dev.commit(checkout, "apps/web/index.ts", "x", "Add the web app")
    dev.git("push", "-q", "origin", "feature", cwd=checkout)

    assert dev.get(f"/repos/{REPOSITORY}/git/ref/heads/feature")["object"]["sha"] == sha
    push = scene.events("push")[-1]
    assert (push.ref, push.sha, push.actor) == ("refs/heads/feature", sha, "dev-1")
    assert push.payload["created"] is True
    assert push.payload["commits"][0]["added"] == ["apps/web/index.ts"]
    assert scene.events("create")[-1].payload["ref_type"] == "branch"


def test_push_of_main_starts_ci_before_git_returns(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout = dev.clone(tmp_path / "clone")
    sha = dev.commit(checkout, "README.md", "new\n", "Change")
    dev.git("push", "-q", "origin", "main", cwd=checkout)
    runs = dev.get(f"/repos/{REPOSITORY}/actions/runs")["workflow_runs"]
    assert [(run["head_sha"], run["event"], run["name"]) for run in runs] == [(sha, "push", "CI")]
    commits = dev.get(f"/repos/{REPOSITORY}/commits")
    assert commits[0]["author"]["login"] == "dev-1"


@pytest.mark.parametrize(
    ("role", "says"), [("read", "Permission to techmate/platform.git denied"), ("write", None), ("admin", None)]
)
def test_pushing_takes_write_access(scene: Scene, tmp_path: Path, role: str, says: str | None) -> None:
    person = scene.person("dev-3", role)
    checkout = person.clone(tmp_path / "clone")
    person.commit(checkout, "a", "a", "Change")
    result = person.git("push", "origin", "main", cwd=checkout, fails=says is not None)
    assert says is None or says in result


def test_a_private_repository_is_not_there_for_strangers(scene: Scene, tmp_path: Path) -> None:
    scene.run(scene.github.seed.repository("techmate/secret", files={"a": "a"}, private=True))
    stranger = scene.person("stranger")
    result = stranger.git("clone", "-q", stranger.remote("techmate/secret"), "x", cwd=tmp_path, fails=True)
    assert "not found" in result
    assert stranger.api("GET", "/repos/techmate/secret").status_code == 404


def test_an_unknown_token_is_refused(scene: Scene, dev: Person, tmp_path: Path) -> None:
    dev.token = "ghp_wrong"
    checkout = dev.clone(tmp_path / "clone")  # of a public repository: git shows its token only when asked for it
    assert "Authentication failed" in dev.git("push", "origin", "main:x", cwd=checkout, fails=True)
    answer = dev.api("GET", "/user")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_protected_main_refuses_what_no_pull_request_brings(scene: Scene, dev: Person, tmp_path: Path) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    checkout = dev.clone(tmp_path / "clone")
    before = scene.main()
    sha = dev.commit(checkout, "a", "a", "Straight to main")
    result = dev.git("push", "origin", "main", cwd=checkout, fails=True)
    assert "GH006: Protected branch update failed for refs/heads/main" in result
    assert "Changes must be made through a pull request" in result
    assert 'Required status check "ci" is expected' in result
    assert scene.main() == before
    assert dev.api("GET", f"/repos/{REPOSITORY}/git/commits/{sha}").status_code == 404, "quarantined objects are gone"


def test_force_push_and_deletion_of_a_protected_branch_are_refused(
    scene: Scene, manager: Person, tmp_path: Path
) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY)
    checkout = manager.clone(tmp_path / "clone")
    manager.git("commit", "-q", "--amend", "-m", "Rewritten", cwd=checkout)
    assert "Cannot force-push" in manager.git("push", "--force", "origin", "main", cwd=checkout, fails=True)
    assert "refusing to delete" in manager.git("push", "origin", ":main", cwd=checkout, fails=True)


def test_an_administrator_may_pass_a_protection_that_spares_them(scene: Scene, manager: Person, tmp_path: Path) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"], enforce_admins=False)
    checkout = manager.clone(tmp_path / "clone")
    sha = manager.commit(checkout, "a", "a", "Hotfix")
    assert "Bypassed rule violations for refs/heads/main" in manager.git("push", "origin", "main", cwd=checkout)
    assert scene.main() == sha


def test_protected_tags_are_made_but_not_moved(scene: Scene, dev: Person, tmp_path: Path) -> None:
    scene.do(scene.github.seed.protect_tags, REPOSITORY, ["v*"])
    checkout = dev.clone(tmp_path / "clone")
    dev.git("tag", "v1.0.0", cwd=checkout)
    dev.git("push", "origin", "v1.0.0", cwd=checkout)
    assert scene.events("push")[-1].ref == "refs/tags/v1.0.0"
    dev.commit(checkout, "a", "a", "Later")
    dev.git("tag", "--force", "v1.0.0", cwd=checkout)
    assert "Cannot update this protected tag" in dev.git("push", "-f", "origin", "v1.0.0", cwd=checkout, fails=True)
    assert "Cannot delete this protected tag" in dev.git("push", "origin", ":v1.0.0", cwd=checkout, fails=True)


def test_more_than_three_tags_at_once_make_no_events(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout = dev.clone(tmp_path / "clone")
    for number in range(4):
        dev.git("tag", f"v1.0.{number}", cwd=checkout)
    dev.git("push", "-q", "origin", "--tags", cwd=checkout)
    assert scene.events("push") == []
    assert len(dev.get(f"/repos/{REPOSITORY}/tags")) == 4


def test_a_push_with_a_jobs_token_starts_nothing(scene: Scene, tmp_path: Path) -> None:
    job = scene.job_token({"contents": "write"})
    checkout = job.clone(tmp_path / "clone")
    job.commit(checkout, "a", "a", "By a job")
    job.git("push", "-q", "origin", "main", cwd=checkout)
    assert scene.events("push") == []
    values = [delivery.event for delivery in scene.github.instance.deliveries if delivery.event.name == "push"]
    assert values[-1].by_workflow_token, "webhooks are sent all the same"


def test_a_jobs_token_may_not_change_workflow_files(scene: Scene, tmp_path: Path) -> None:
    job = scene.job_token({"contents": "write"})
    checkout = job.clone(tmp_path / "clone")
    job.commit(checkout, ".github/workflows/ci.yml", "on: push\n", "Change CI")
    result = job.git("push", "origin", "main", cwd=checkout, fails=True)
    assert "without `workflows` permission" in result


def test_a_jobs_token_without_contents_write_cannot_push(scene: Scene, tmp_path: Path) -> None:
    job = scene.job_token({"contents": "read"})
    checkout = job.clone(tmp_path / "clone")
    job.commit(checkout, "a", "a", "Change")
    assert "denied to github-actions[bot]" in job.git("push", "origin", "main", cwd=checkout, fails=True)


def test_a_large_push_and_a_fetch_by_commit(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout = dev.clone(tmp_path / "clone")
    sha = dev.commit(checkout, "big.bin", "x" * 3_000_000 + str(list(range(300_000))), "Something large")
    dev.git("push", "-q", "origin", "main", cwd=checkout)
    shallow = tmp_path / "shallow"
    dev.git("init", "-q", str(shallow), cwd=tmp_path)
    dev.git("fetch", "-q", "--depth=1", dev.remote(), sha, cwd=shallow)
    assert sha in dev.git("rev-parse", "FETCH_HEAD", cwd=shallow)


def test_two_pushes_at_once_lose_nothing(scene: Scene, dev: Person, reviewer: Person, tmp_path: Path) -> None:
    """The second of two pushes to one branch is refused by git, never half done."""
    one, two = dev.clone(tmp_path / "one"), reviewer.clone(tmp_path / "two")
    first = dev.commit(one, "one", "1", "One")
    reviewer.commit(two, "two", "2", "Two")
    dev.git("push", "-q", "origin", "main", cwd=one)
    assert "rejected" in reviewer.git("push", "origin", "main", cwd=two, fails=True)
    assert scene.main() == first
