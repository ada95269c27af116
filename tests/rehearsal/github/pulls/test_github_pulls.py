"""Pull requests: opened, reviewed, checked, merged on GitHub or by a push."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

PULLS = f"/repos/{REPOSITORY}/pulls"


def propose(dev: Person, folder: Path, *, branch: str = "feature-branch", path: str = "new.txt") -> tuple[Path, Any]:
    """A checkout with a branch pushed, and the pull request of it."""
    checkout = dev.clone(folder / f"clone-{branch}")
    dev.git("checkout", "-q", "-b", branch, cwd=checkout)
    dev.commit(checkout, path, f"{branch}\n", f"Add {path}")
    dev.git("push", "-q", "origin", branch, cwd=checkout)
    return checkout, dev.post(PULLS, {"title": f"Add {path}", "head": branch, "base": "main", "body": "Because."})


def approve(reviewer: Person, number: int) -> Any:
    return reviewer.post(f"{PULLS}/{number}/reviews", {"event": "APPROVE"}, status=200)


def test_opening_a_pull_request_starts_ci_on_the_test_merge(scene: Scene, dev: Person, tmp_path: Path) -> None:
    _, pull = propose(dev, tmp_path)
    event = scene.events("pull_request")[-1]
    assert (event.ref, event.sha) == ("refs/pull/1/merge", pull["merge_commit_sha"])
    assert event.payload["action"] == "opened"
    merge = dev.get(f"/repos/{REPOSITORY}/git/commits/{event.sha}")
    assert [parent["sha"] for parent in merge["parents"]] == [scene.main(), pull["head"]["sha"]]
    run = dev.get(f"/repos/{REPOSITORY}/actions/runs")["workflow_runs"][0]
    assert (run["head_sha"], run["pull_requests"][0]["number"]) == (pull["head"]["sha"], 1)
    checks = dev.get(f"/repos/{REPOSITORY}/commits/feature-branch/check-runs")["check_runs"]
    assert [(check["name"], check["status"]) for check in checks] == [("ci", "in_progress")]


def test_commits_files_and_the_pull_requests_of_a_commit(scene: Scene, dev: Person, tmp_path: Path) -> None:
    _, pull = propose(dev, tmp_path)
    assert (pull["commits"], pull["additions"], pull["deletions"], pull["changed_files"]) == (1, 1, 0, 1)
    (file,) = dev.get(f"{PULLS}/1/files")
    assert (file["filename"], file["status"], file["patch"]) == ("new.txt", "added", "@@ -0,0 +1 @@\n+feature-branch")
    (commit,) = dev.get(f"{PULLS}/1/commits")
    assert commit["sha"] == pull["head"]["sha"]
    assert dev.get(f"/repos/{REPOSITORY}/commits/{commit['sha']}/pulls")[0]["number"] == 1
    assert dev.get(f"/repos/{REPOSITORY}/commits/main/pulls") == []


def test_new_commits_synchronize_and_dismiss_approvals(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, dismiss_stale=True)
    checkout, _ = propose(dev, tmp_path)
    approve(reviewer, 1)
    assert dev.get(f"{PULLS}/1")["mergeable_state"] in ("clean", "unstable")
    sha = dev.commit(checkout, "more.txt", "more", "More")
    dev.git("push", "-q", "origin", "feature-branch", cwd=checkout)
    pull = dev.get(f"{PULLS}/1")
    assert (pull["head"]["sha"], pull["mergeable_state"]) == (sha, "blocked")
    assert [review["state"] for review in dev.get(f"{PULLS}/1/reviews")] == ["DISMISSED"]
    assert scene.events("pull_request")[-1].payload["action"] == "synchronize"


def test_authors_do_not_approve_their_own_work(scene: Scene, dev: Person, tmp_path: Path) -> None:
    propose(dev, tmp_path)
    answer = dev.api("POST", f"{PULLS}/1/reviews", json={"event": "APPROVE"})
    assert (answer.status_code, answer.json()["errors"]) == (422, ["Can not approve your own pull request"])


def test_what_keeps_a_pull_request_from_being_merged(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    propose(dev, tmp_path)
    refused = dev.api("PUT", f"{PULLS}/1/merge", json={})
    assert refused.status_code == 405
    assert "At least 1 approving review is required" in refused.json()["message"]
    assert 'Required status check "ci" is in progress.' in refused.json()["message"]
    approve(reviewer, 1)
    scene.do(scene.runner.finish, 1001, "failure")
    assert 'Required status check "ci" is failing.' in dev.api("PUT", f"{PULLS}/1/merge", json={}).json()["message"]


@pytest.mark.parametrize("conclusion", ["success", "skipped"])
def test_an_approved_and_green_pull_request_is_merged(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path, conclusion: str
) -> None:
    """A required check that was skipped counts as passed, as on GitHub."""
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    _, pull = propose(dev, tmp_path)
    scene.do(scene.runner.finish, 1001, conclusion)
    approve(reviewer, 1)
    merged = dev.api("PUT", f"{PULLS}/1/merge", json={"sha": pull["head"]["sha"]}).json()
    assert merged["merged"] is True
    assert scene.main() == merged["sha"]
    after = dev.get(f"{PULLS}/1")
    assert (after["state"], after["merged"], after["merge_commit_sha"]) == ("closed", True, merged["sha"])
    assert after["merged_by"]["login"] == "dev-1"
    assert scene.events("push")[-1].sha == merged["sha"]
    closed = scene.events("pull_request")[-1]
    assert (closed.payload["action"], closed.ref) == ("closed", "refs/heads/main")
    message = dev.get(f"/repos/{REPOSITORY}/commits/main")["commit"]["message"]
    assert message == "Merge pull request #1 from techmate/feature-branch\n\nAdd new.txt"


def test_merging_another_head_than_decided_on_is_a_conflict(scene: Scene, dev: Person, tmp_path: Path) -> None:
    propose(dev, tmp_path)
    answer = dev.api("PUT", f"{PULLS}/1/merge", json={"sha": scene.main()})
    assert (answer.status_code, answer.json()["message"][:25]) == (409, "Head branch was modified.")


def test_squash_makes_one_commit_with_the_number_in_its_title(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout, _ = propose(dev, tmp_path)
    dev.commit(checkout, "more.txt", "more", "More")
    dev.git("push", "-q", "origin", "feature-branch", cwd=checkout)
    dev.api("PUT", f"{PULLS}/1/merge", json={"merge_method": "squash"})
    tip = dev.get(f"/repos/{REPOSITORY}/commits/main")
    assert tip["commit"]["message"] == "Add new.txt (#1)\n\n* Add new.txt\n\n* More"
    assert len(tip["parents"]) == 1
    assert {file["filename"] for file in tip["files"]} == {"new.txt", "more.txt"}


def test_rebase_puts_each_commit_on_top(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout, _ = propose(dev, tmp_path)
    dev.commit(checkout, "more.txt", "more", "More")
    dev.git("push", "-q", "origin", "feature-branch", cwd=checkout)
    other = dev.clone(tmp_path / "other")
    dev.commit(other, "main.txt", "main", "Meanwhile on main")
    dev.git("push", "-q", "origin", "main", cwd=other)
    assert dev.api("PUT", f"{PULLS}/1/merge", json={"merge_method": "rebase"}).status_code == 200
    subjects = [one["commit"]["message"] for one in dev.get(f"/repos/{REPOSITORY}/commits")]
    assert subjects == ["More", "Add new.txt", "Meanwhile on main", "Initial commit"]
    tree = dev.get(f"/repos/{REPOSITORY}/git/trees/main")["tree"]
    assert {"new.txt", "more.txt", "main.txt"} <= {entry["path"] for entry in tree}


def test_the_merge_of_a_green_and_approved_pull_request_can_be_pushed(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    """The quick start's own commands: git checkout main, git merge feature-branch, git push origin main."""
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    checkout, _ = propose(dev, tmp_path)
    dev.git("checkout", "-q", "main", cwd=checkout)
    dev.git("merge", "-q", "--no-ff", "--no-edit", "feature-branch", cwd=checkout)
    result = dev.git("push", "origin", "main", cwd=checkout, fails=True)
    assert "Pull request #1: At least 1 approving review is required" in result
    scene.do(scene.runner.finish, 1001)
    approve(reviewer, 1)
    dev.git("push", "-q", "origin", "main", cwd=checkout)
    pull = dev.get(f"{PULLS}/1")
    assert (pull["merged"], pull["merge_commit_sha"]) == (True, scene.main())
    assert scene.events("pull_request")[-1].payload["action"] == "closed"


def test_a_fast_forward_of_it_can_be_pushed_too(scene: Scene, dev: Person, reviewer: Person, tmp_path: Path) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    checkout, pull = propose(dev, tmp_path)
    scene.do(scene.runner.finish, 1001)
    approve(reviewer, 1)
    dev.git("checkout", "-q", "main", cwd=checkout)
    dev.git("merge", "-q", "feature-branch", cwd=checkout)
    dev.git("push", "-q", "origin", "main", cwd=checkout)
    assert scene.main() == pull["head"]["sha"]
    assert dev.get(f"{PULLS}/1")["merged"] is True


def test_a_merge_with_something_more_in_it_is_refused(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    checkout, _ = propose(dev, tmp_path)
    scene.do(scene.runner.finish, 1001)
    approve(reviewer, 1)
    dev.git("checkout", "-q", "main", cwd=checkout)
    dev.git("merge", "-q", "--no-ff", "--no-commit", "feature-branch", cwd=checkout)
    dev.commit(checkout, "smuggled.txt", "x", "Merge branch 'feature-branch'")
    result = dev.git("push", "origin", "main", cwd=checkout, fails=True)
    assert "holds changes that are not in pull request #1" in result


def test_two_merges_in_one_push_need_both_pull_requests(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    checkout, _ = propose(dev, tmp_path)
    propose(dev, tmp_path, branch="second", path="second.txt")
    dev.git("fetch", "-q", "origin", cwd=checkout)
    dev.git("checkout", "-q", "main", cwd=checkout)
    dev.git("merge", "-q", "--no-ff", "--no-edit", "feature-branch", cwd=checkout)
    dev.git("merge", "-q", "--no-ff", "--no-edit", "origin/second", cwd=checkout)
    for run in (1001, 1002):
        scene.do(scene.runner.finish, run)
    approve(reviewer, 1)
    assert "Pull request #2" in dev.git("push", "origin", "main", cwd=checkout, fails=True)
    approve(reviewer, 2)
    dev.git("push", "-q", "origin", "main", cwd=checkout)
    assert [pull["merged_at"] is not None for pull in dev.get(f"{PULLS}?state=closed")] == [True, True]


def test_a_conflict_has_no_test_merge_and_starts_nothing(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout = dev.clone(tmp_path / "main")
    dev.git("checkout", "-q", "-b", "theirs", cwd=checkout)
    dev.commit(checkout, "README.md", "theirs\n", "Theirs")
    dev.git("push", "-q", "origin", "theirs", cwd=checkout)
    dev.git("checkout", "-q", "main", cwd=checkout)
    dev.commit(checkout, "README.md", "ours\n", "Ours")
    dev.git("push", "-q", "origin", "main", cwd=checkout)
    pull = dev.post(PULLS, {"title": "T", "head": "theirs", "base": "main"})
    assert (pull["mergeable"], pull["mergeable_state"], pull["merge_commit_sha"]) == (False, "dirty", None)
    assert scene.events("pull_request") == []
    assert dev.api("PUT", f"{PULLS}/1/merge", json={}).status_code == 405


def test_a_fork_brings_its_commits_and_no_trust(scene: Scene, tmp_path: Path) -> None:
    stranger = scene.person("stranger")
    fork = stranger.post(f"/repos/{REPOSITORY}/forks", {}, status=202)
    assert fork["parent"]["full_name"] == REPOSITORY
    checkout = stranger.clone(tmp_path / "fork", "stranger/platform")
    stranger.git("checkout", "-q", "-b", "idea", cwd=checkout)
    sha = stranger.commit(checkout, "idea.txt", "idea", "An idea")
    stranger.git("push", "-q", "origin", "idea", cwd=checkout)
    pull = stranger.post(PULLS, {"title": "An idea", "head": "stranger:idea", "base": "main"})
    assert (pull["head"]["sha"], pull["head"]["repo"]["full_name"]) == (sha, "stranger/platform")
    assert scene.events("pull_request")[-1].from_fork is True
    sha = stranger.commit(checkout, "idea.txt", "better", "Better")
    stranger.git("push", "-q", "origin", "idea", cwd=checkout)
    assert stranger.get(f"{PULLS}/1")["head"]["sha"] == sha


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"title": "T", "head": "nowhere", "base": "main"}, "head"),
        ({"title": "T", "head": "main", "base": "nowhere"}, "base"),
        ({"title": "T", "head": "main", "base": "main"}, "No commits between main and main"),
        ({"head": "main", "base": "main"}, "title"),
    ],
)
def test_pull_requests_that_cannot_be(scene: Scene, dev: Person, body: dict[str, str], message: str) -> None:
    answer = dev.api("POST", PULLS, json=body)
    assert answer.status_code == 422
    assert message in str(answer.json())


def test_closing_reopening_and_deleting_the_branch(scene: Scene, dev: Person, tmp_path: Path) -> None:
    checkout, _ = propose(dev, tmp_path)
    assert dev.api("PATCH", f"{PULLS}/1", json={"state": "closed"}).json()["state"] == "closed"
    assert dev.api("PATCH", f"{PULLS}/1", json={"state": "open"}).json()["state"] == "open"
    dev.git("push", "-q", "origin", ":feature-branch", cwd=checkout)
    pull = dev.get(f"{PULLS}/1")
    assert (pull["state"], pull["merged"]) == ("closed", False)


def test_a_strict_base_wants_the_head_to_be_up_to_date(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, strict=True, enforce_admins=False)
    propose(dev, tmp_path)
    approve(reviewer, 1)
    manager = scene.person("release-manager")
    other = manager.clone(tmp_path / "other")
    manager.commit(other, "main.txt", "main", "Meanwhile on main")
    manager.git("push", "-q", "origin", "main", cwd=other)
    assert dev.get(f"{PULLS}/1")["mergeable_state"] == "behind"
    assert "not up to date" in dev.api("PUT", f"{PULLS}/1/merge", json={}).json()["message"]


def test_the_last_push_needs_someone_elses_approval(
    scene: Scene, dev: Person, reviewer: Person, manager: Person, tmp_path: Path
) -> None:
    protection = scene.do(scene.github.seed.protect_branch, REPOSITORY, dismiss_stale=False)
    protection.last_push_approval = True
    propose(dev, tmp_path)
    theirs = reviewer.clone(tmp_path / "theirs")
    reviewer.git("checkout", "-q", "feature-branch", cwd=theirs)
    reviewer.commit(theirs, "help.txt", "help", "Help")
    reviewer.git("push", "-q", "origin", "feature-branch", cwd=theirs)
    approve(reviewer, 1)
    assert "most recent push" in dev.api("PUT", f"{PULLS}/1/merge", json={}).json()["message"]
    approve(manager, 1)
    assert dev.api("PUT", f"{PULLS}/1/merge", json={}).status_code == 200


def test_commits_made_on_github_name_who_did_what(scene: Scene, dev: Person, reviewer: Person, tmp_path: Path) -> None:
    propose(dev, tmp_path)
    reviewer.api("PUT", f"{PULLS}/1/merge", json={"merge_method": "squash"})
    squashed = dev.get(f"/repos/{REPOSITORY}/commits/main")
    assert (squashed["author"]["login"], squashed["commit"]["committer"]["name"]) == ("dev-1", "GitHub")
    propose(dev, tmp_path, branch="second", path="second.txt")
    reviewer.api("PUT", f"{PULLS}/2/merge", json={})
    merged = dev.get(f"/repos/{REPOSITORY}/commits/main")
    assert (merged["author"]["login"], merged["commit"]["committer"]["name"]) == ("dev-2", "GitHub")


def test_a_review_with_comments_on_lines_is_refused_rather_than_lost(
    dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    propose(dev, tmp_path)
    body = {"event": "COMMENT", "body": "See", "comments": [{"path": "new.txt", "body": "no"}]}
    refused = reviewer.api("POST", f"{PULLS}/1/reviews", json=body)
    assert refused.status_code == 422
    assert reviewer.get(f"{PULLS}/1/reviews") == []


def test_a_pull_request_is_edited_by_its_author_or_who_may_write(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    propose(dev, tmp_path)
    reader = scene.person("reader-1", role="read")
    assert reader.api("PATCH", f"{PULLS}/1", json={"state": "closed"}).status_code == 403
    assert reader.api("PATCH", f"{PULLS}/1", json={"title": "Mine"}).status_code == 403
    assert dev.get(f"{PULLS}/1")["state"] == "open"
    assert reviewer.api("PATCH", f"{PULLS}/1", json={"title": "Theirs"}).json()["title"] == "Theirs"
    scene.do(scene.github.seed.role, REPOSITORY, "dev-1", "read")
    assert dev.api("PATCH", f"{PULLS}/1", json={"state": "closed"}).json()["state"] == "closed"
