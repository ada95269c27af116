"""GitHub's own command line, `gh`, against this GitHub."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

Gh = Callable[..., str]


@pytest.fixture
def gh(scene: Scene) -> Gh:
    """Run gh as someone. The host is a made-up one that gh speaks plain HTTP to, reached through a proxy setting."""
    program = shutil.which("gh")
    assert program is not None, "gh is not installed. Get it with: apt-get install gh"

    def run(person: Person, *arguments: str, fails: bool = False, cwd: Path | None = None) -> str:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(person.home),
            "TMPDIR": str(person.home),
            "GH_HOST": "github.localhost",
            "HTTP_PROXY": scene.url,
            "GH_TOKEN": person.token,
            "GH_REPO": f"github.localhost/{REPOSITORY}",
            "GH_PROMPT_DISABLED": "1",
            "GH_NO_UPDATE_NOTIFIER": "1",
            "NO_COLOR": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        done = subprocess.run(
            [program, *arguments],
            check=False,
            env=env,
            cwd=cwd or person.home,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def checkout(scene: Scene, dev: Person, tmp_path: Path) -> Path:
    """A branch `feature` with one commit, pushed."""
    checkout = dev.clone(tmp_path / "checkout")
    dev.git("checkout", "-q", "-b", "feature", cwd=checkout)
    dev.commit(checkout, "new.txt", "new\n", "Add new.txt")
    dev.git("push", "-q", "origin", "feature", cwd=checkout)
    # gh finds the repository by its remote, which has to be of its host.
    dev.git("remote", "set-url", "origin", f"http://github.localhost/{REPOSITORY}.git", cwd=checkout)
    return checkout


def test_a_workflow_is_run_listed_viewed_and_its_log_read(scene: Scene, gh: Gh, dev: Person) -> None:
    gh(dev, "workflow", "run", "deploy-production.yml", "-f", "version=v1.0.0")  # asks GraphQL for the default branch
    gh(dev, "workflow", "run", "deploy-production.yml", "--ref", "main", "-f", "version=v1.1.0")
    first, second = scene.events("workflow_dispatch")
    assert (first.payload["inputs"], second.payload["inputs"]) == ({"version": "v1.0.0"}, {"version": "v1.1.0"})
    assert "Deploy to Production" in gh(dev, "workflow", "list")
    assert "Total runs 2" in gh(dev, "workflow", "view", "deploy-production.yml")
    scene.do(scene.runner.finish, 1001, "failure", ("line one", "##[error]line two"))
    listed = json.loads(gh(dev, "run", "list", "--json", "databaseId,status,conclusion,headBranch,event"))
    assert [(run["databaseId"], run["status"], run["conclusion"]) for run in listed] == [
        (1002, "in_progress", ""),
        (1001, "completed", "failure"),
    ]
    viewed = gh(dev, "run", "view", "1001")
    assert "X deploy in" in viewed
    assert "X Run true" in viewed
    assert "##[error]line two" in gh(dev, "run", "view", "1001", "--log-failed")
    log = gh(dev, "run", "view", "1001", "--log").splitlines()
    assert log[0] == "deploy\tRun true\t2026-11-22T18:00:00.0000000Z line one"


def test_a_run_is_rerun_and_cancelled(scene: Scene, gh: Gh, dev: Person) -> None:
    gh(dev, "workflow", "run", "deploy-production.yml", "-f", "version=v1.0.0")
    scene.do(scene.runner.finish, 1001, "failure")
    gh(dev, "run", "rerun", "1001", "--failed")
    assert scene.runner.runs[1001].attempt == 2
    gh(dev, "run", "cancel", "1001")
    assert "already completed with 'cancelled'" in gh(dev, "run", "watch", "1001")


def test_a_wrong_input_is_named(gh: Gh, dev: Person) -> None:
    result = gh(dev, "workflow", "run", "deploy-production.yml", "-f", "verison=v1.0.0", fails=True)
    assert "Unexpected inputs provided: ['verison']" in result


def test_a_pull_request_from_creation_to_merge(
    scene: Scene, gh: Gh, dev: Person, reviewer: Person, checkout: Path
) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY, checks=["ci"])
    made = gh(dev, "pr", "create", "--title", "Add it", "--body", "Because.", "--head", "feature", cwd=checkout)
    assert made.strip().endswith("/pull/1")
    assert "1\tAdd it\tfeature\tOPEN" in gh(dev, "pr", "list")
    viewed = gh(dev, "pr", "view", "1")
    assert "state:\tOPEN" in viewed
    assert "additions:\t1" in viewed
    assert "+new" in gh(dev, "pr", "diff", "1")
    assert "ci\tpending" in gh(dev, "pr", "checks", "1", fails=True)
    assert "the base branch policy prohibits the merge" in gh(dev, "pr", "merge", "1", "--merge", fails=True)
    gh(reviewer, "pr", "review", "1", "--approve")
    scene.do(scene.runner.finish, 1001)
    assert "ci\tpass" in gh(dev, "pr", "checks", "1")
    assert "Checks passing" in gh(dev, "pr", "status", cwd=checkout)
    seen = json.loads(gh(dev, "pr", "view", "1", "--json", "reviewDecision,mergeStateStatus,files,commits"))
    assert (seen["reviewDecision"], seen["mergeStateStatus"]) == ("APPROVED", "CLEAN")
    assert seen["files"] == [{"path": "new.txt", "additions": 1, "deletions": 0}]
    gh(dev, "pr", "comment", "1", "--body", "Merging")
    gh(dev, "pr", "merge", "1", "--squash", "--delete-branch")
    assert "1\tAdd it\tfeature\tMERGED" in gh(dev, "pr", "list", "--state", "merged")
    assert dev.get(f"/repos/{REPOSITORY}/commits/main")["commit"]["message"].startswith("Add new.txt (#1)")
    assert dev.api("GET", f"/repos/{REPOSITORY}/git/ref/heads/feature").status_code == 404


def test_a_merge_queue_takes_what_gh_enqueues(
    scene: Scene, gh: Gh, dev: Person, manager: Person, checkout: Path
) -> None:
    """`gh pr merge` asks for auto-merge where there is a queue, which a repository has to allow; the mutation needs no setting."""
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    queue = {"name": "queue", "enforcement": "active", "conditions": conditions, "rules": [{"type": "merge_queue"}]}
    manager.post(f"/repos/{REPOSITORY}/rulesets", queue)
    gh(dev, "pr", "create", "--title", "Add it", "--body", "", "--head", "feature", cwd=checkout)
    assert "Auto merge is not allowed for this repository" in gh(dev, "pr", "merge", "1", fails=True)
    mutation = "mutation($id: ID!) { enqueuePullRequest(input: {pullRequestId: $id}) { mergeQueueEntry { state } } }"
    number = json.loads(gh(dev, "pr", "view", "1", "--json", "id"))["id"]
    made = json.loads(gh(dev, "api", "graphql", "-f", f"query={mutation}", "-f", f"id={number}"))
    assert made["data"]["enqueuePullRequest"]["mergeQueueEntry"]["state"] == "QUEUED", "it went through at once"
    assert "1\tAdd it\tfeature\tMERGED" in gh(dev, "pr", "list", "--state", "merged")


def test_a_release_with_assets(scene: Scene, gh: Gh, dev: Person, checkout: Path, tmp_path: Path) -> None:
    asset = tmp_path / "SHA256SUMS"
    asset.write_text("sums")
    gh(dev, "release", "create", "v1.0.0", str(asset), "--title", "One", "--notes", "First", cwd=checkout)
    assert "One\tLatest\tv1.0.0" in gh(dev, "release", "list")
    viewed = gh(dev, "release", "view", "v1.0.0")
    assert "asset:\tSHA256SUMS" in viewed
    assert "First" in viewed
    asset.write_text("better sums")
    gh(dev, "release", "upload", "v1.0.0", str(asset), "--clobber")
    gh(dev, "release", "download", "v1.0.0", "--dir", str(tmp_path / "down"))
    assert (tmp_path / "down" / "SHA256SUMS").read_text() == "better sums"
    gh(dev, "release", "edit", "v1.0.0", "--draft")
    assert "draft:\ttrue" in gh(dev, "release", "view", "v1.0.0")
    gh(dev, "release", "delete", "v1.0.0", "--yes")
    assert "release not found" in gh(dev, "release", "view", "v1.0.0", fails=True)


def test_issues_and_comments(gh: Gh, dev: Person, checkout: Path) -> None:
    gh(dev, "issue", "create", "--title", "Approve v1.0.0", "--body", "…", cwd=checkout)
    gh(dev, "issue", "comment", "1", "--body", "/approve sha256:ab")
    assert "Approve v1.0.0" in gh(dev, "issue", "list")
    assert "/approve sha256:ab" in gh(dev, "issue", "view", "1", "--comments")
    gh(dev, "issue", "close", "1", "--reason", "not planned")
    assert "CLOSED" in gh(dev, "issue", "list", "--state", "all")


def test_plain_calls_paging_and_secrets(gh: Gh, dev: Person) -> None:
    assert json.loads(gh(dev, "api", "user"))["login"] == "dev-1"
    dev.post(f"/repos/{REPOSITORY}/issues", {"title": "T"})
    for number in range(5):
        dev.post(f"/repos/{REPOSITORY}/issues/1/comments", {"body": str(number)})
    bodies = gh(dev, "api", "repos/{owner}/{repo}/issues/1/comments?per_page=2", "--paginate", "--jq", ".[].body")
    assert bodies.split() == ["0", "1", "2", "3", "4"]
    gh(dev, "secret", "set", "SLACK_TOKEN", "--body", "hunter2")
    assert "SLACK_TOKEN" in gh(dev, "secret", "list")
    assert "Logged in to github.localhost as dev-1" in gh(dev, "auth", "status", "--hostname", "github.localhost")
    assert "# Platform" in gh(dev, "repo", "view", REPOSITORY)


def test_what_is_not_answered_is_named(gh: Gh, dev: Person) -> None:
    result = gh(dev, "api", "graphql", "-f", "query={viewer{login followers}}", fails=True)
    assert "Cannot query field 'followers' on type 'User'" in result
    result = gh(dev, "api", "graphql", "-f", 'query={repository(owner:"techmate",name:"none"){id}}', fails=True)
    assert "Could not resolve to a Repository with the name 'techmate/none'" in result


def test_graphql_obeys_permissions(scene: Scene, gh: Gh, dev: Person) -> None:
    reader = scene.person("on-call")
    dev.post(f"/repos/{REPOSITORY}/issues", {"title": "T"})
    assert "triage access" in gh(reader, "issue", "close", "1", fails=True)
    job = scene.job_token({"contents": "read"})
    assert "Resource not accessible by integration" in gh(job, "issue", "list", fails=True)


def test_an_administrator_sets_up_what_the_trust_stands_on(
    scene: Scene, gh: Gh, manager: Person, dev: Person, tmp_path: Path
) -> None:
    """The commands that a check of the setup prints."""
    here = f"repos/{REPOSITORY}"
    policy = ("-F", "deployment_branch_policy[protected_branches]=false")
    custom = ("-F", "deployment_branch_policy[custom_branch_policies]=true")
    gh(manager, "api", "-X", "PUT", f"{here}/environments/production", *policy, *custom)
    policies = f"{here}/environments/production/deployment-branch-policies"
    gh(manager, "api", "-X", "POST", policies, "-f", "name=main", "-f", "type=branch")
    reviewers = tmp_path / "reviewers.json"
    asked = {"reviewers": [{"type": "User", "id": manager.get("/user")["id"]}], "prevent_self_review": True}
    reviewers.write_text(json.dumps(asked))
    gh(manager, "api", "-X", "PUT", f"{here}/environments/production-approval", "--input", str(reviewers))
    ruleset = tmp_path / "ruleset.json"
    conditions = {"ref_name": {"include": ["refs/tags/v*", "refs/tags/mobile-v*"], "exclude": []}}
    wanted = {"name": "releases", "target": "tag", "enforcement": "active", "conditions": conditions}
    ruleset.write_text(json.dumps({**wanted, "rules": [{"type": "deletion"}, {"type": "update"}]}))
    made = json.loads(gh(manager, "api", "-X", "POST", f"{here}/rulesets", "--input", str(ruleset)))
    gh(manager, "secret", "set", "TOKEN", "--env", "production", "--body", "hunter2")
    names = gh(dev, "api", f"{here}/environments/production/secrets", "--jq", ".secrets[].name")
    assert names.split() == ["TOKEN"]
    result = scene.do(scene.github.hub.environment, REPOSITORY, "production")
    assert result.branch_patterns == ("main",)
    assert scene.do(scene.github.hub.environment, REPOSITORY, "production-approval").prevent_self_review
    kinds = json.loads(gh(dev, "api", f"{here}/rulesets/{made['id']}", "--jq", "[.rules[].type]"))
    assert kinds == ["deletion", "update"]
    refused = gh(dev, "api", "-X", "PUT", f"{here}/environments/production", fails=True)
    assert "Must have admin rights to Repository. (HTTP 403)" in refused
