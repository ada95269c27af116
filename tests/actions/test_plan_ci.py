from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from actions import plan_ci
from actions.plan_ci import main
from tests.pipelines.ci.past import Past

MANIFEST = """
platform: {name: shop, repository: shop/shop}
components:
  api: {paths: ["api/**"]}
  site: {paths: ["site/**"]}
ci:
  checks:
    api-tests: {run: [pytest], components: [api]}
    site-tests: {run: [npm test], components: [site]}
environments: {}
"""
TITLE = "::error::x\n::set-output name=checks::{}\r##[error]y"


@pytest.fixture
def past(monkeypatch: pytest.MonkeyPatch) -> Past:
    """What GitHub says of what came before: nothing, until a test says otherwise."""
    found = Past()
    monkeypatch.setattr(plan_ci, "github", lambda runtime, token: found)
    return found


@pytest.fixture
def commits(step: Any) -> list[str]:
    """A workspace that is a repository: a first commit, and one that changes the site."""

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=dev-1", "-c", "user.email=dev-1@example.com"]
        return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    Path("shipmate.yml").write_text(MANIFEST)
    git("init", "-q", "-b", "$(touch${IFS}injected)")
    git("add", "-A")
    git("commit", "-q", "-m", TITLE)
    first = git("rev-parse", "HEAD")
    Path("site").mkdir()
    Path("site/index.html").write_text("x")
    git("add", "-A")
    git("commit", "-q", "-m", TITLE)
    return [first, git("rev-parse", "HEAD")]


def pull(base: str) -> dict[str, Any]:
    return {
        "pull_request": {
            "number": 7,
            "title": TITLE,
            "base": {"sha": base, "ref": "main"},
            "head": {"ref": "$(touch${IFS}injected)"},
        }
    }


def decided(step: Any) -> dict[str, str]:
    """Check -> run or skip."""
    return {one["check"]: "run" if one["runs"] else "skip" for one in json.loads(step.outputs()["plan"])}


def reasons(step: Any) -> dict[str, str]:
    return {one["check"]: one["why"] for one in json.loads(step.outputs()["plan"])}


def test_only_what_is_affected_runs(step: Any, commits: list[str], past: Past) -> None:
    past.ran(commits[0])
    step.event(pull(commits[0]))
    assert step.run(main, token="t0ken") == 0
    assert decided(step) == {"api-tests": "skip", "site-tests": "run"}
    assert reasons(step)["site-tests"] == "site: site/index.html changed"
    assert "| site-tests | runs | `site: site/index.html changed` |" in step.summary()


def test_odd_names_and_titles_are_only_text(step: Any, commits: list[str], past: Past) -> None:
    step.event(pull(commits[0]))
    assert step.run(main, token="t0ken") == 0
    assert not Path("injected").exists()
    assert not step.commands("error")
    assert "##[" not in step.log


def test_a_file_called_like_a_command_is_only_text(step: Any, commits: list[str]) -> None:
    name = "::error::boom"
    Path(name).write_text("x")
    identity = ["-c", "user.name=dev-1", "-c", "user.email=dev-1@example.com"]
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", *identity, "commit", "-q", "-m", "x"], check=True)
    step.event(pull(commits[1]))
    assert step.run(main, token="t0ken") == 0
    assert set(decided(step).values()) == {"run"}
    assert not step.commands("error")


def test_a_base_that_is_gone_runs_everything_and_says_why(step: Any, commits: list[str]) -> None:
    step.event(pull("1" * 40))
    assert step.run(main, token="t0ken") == 0
    assert set(decided(step).values()) == {"run"}
    assert "is not in this clone" in step.summary()


def test_a_bad_manifest_stops_it_with_the_line(step: Any, commits: list[str]) -> None:
    Path("shipmate.yml").write_text(MANIFEST.replace("api-tests: {run", "api-tests: {runs"))
    assert step.run(main, token="t0ken") == 3
    assert "unknown key, did you mean 'run'?" in step.commands("error")[0]
    assert "plan" not in step.outputs()


def push(step: Any, before: str, head: str) -> None:
    step.environ["GITHUB_SHA"] = head
    step.event({"before": before, "ref": "refs/heads/main", "repository": {"default_branch": "main"}}, "push")


def test_a_push_is_compared_with_where_each_check_passed(step: Any, commits: list[str], past: Past) -> None:
    past.ran(commits[0], api_tests="failure", site_tests="success")
    push(step, *commits)
    assert step.run(main, token="t0ken") == 0
    assert decided(step) == {"api-tests": "run", "site-tests": "run"}
    assert reasons(step) == {
        "api-tests": "it passed on no commit below that CI knows",
        "site-tests": f"site: site/index.html changed since {commits[0][:7]}",
    }


def test_a_push_of_what_its_pull_request_checked_runs_nothing(step: Any, commits: list[str], past: Past) -> None:
    url = past.ran(commits[1], event="pull_request", branch="feature", site_tests="success")
    past.pull(commits[1], commits[1])
    push(step, *commits)
    assert step.run(main, token="t0ken") == 0
    assert set(reasons(step).values()) == {f"these very files passed in {url}"}
    assert json.loads(step.outputs()["legs"]) == []


def test_a_pull_request_over_a_red_base_runs_what_is_red(step: Any, commits: list[str], past: Past) -> None:
    past.ran(commits[0], api_tests="failure", site_tests="success")
    step.event(pull(commits[0]))
    assert step.run(main, token="t0ken") == 0
    assert decided(step) == {"api-tests": "run", "site-tests": "run"}
    assert reasons(step)["api-tests"].startswith("api-tests is not green on main: ")
    assert [leg["title"] for leg in json.loads(step.outputs()["legs"])] == ["api-tests", "site-tests"]


def test_a_merge_group_is_compared_with_its_base(step: Any, commits: list[str], past: Past) -> None:
    past.ran(commits[0])
    group = {"base_sha": commits[0], "base_ref": "refs/heads/main", "head_sha": commits[1]}
    step.event({"merge_group": group}, "merge_group")
    assert step.run(main, token="t0ken") == 0
    assert decided(step) == {"api-tests": "skip", "site-tests": "run"}


def test_a_history_that_was_replaced_runs_everything(step: Any, commits: list[str], past: Past) -> None:
    past.ran(commits[0])
    push(step, "1" * 40, commits[1])
    assert step.run(main, token="t0ken") == 0
    assert set(decided(step).values()) == {"run"}
    assert "it was rewritten" in reasons(step)["api-tests"]


def test_silence_of_github_runs_everything(step: Any, commits: list[str], past: Past) -> None:
    past.silent = "runs"
    push(step, *commits)
    assert step.run(main, token="t0ken") == 0
    assert set(reasons(step).values()) == {"GitHub cannot say what passed before: GitHub cannot be reached"}


def test_without_a_token_nothing_is_planned(step: Any, commits: list[str]) -> None:
    step.event(pull(commits[0]))
    assert step.run(main) == 5
    assert "not given: token" in step.log


def test_a_rehearsal_has_no_job_for_what_it_cannot_carry(step: Any, commits: list[str], past: Past) -> None:
    manifest = Path("shipmate.yml")
    manifest.write_text(MANIFEST.replace("[npm test], ", "[npm test], not_rehearsed: 400 MB, "))
    step.event(pull(commits[0]))
    for server, jobs, word in (
        ("https://github.com", ["api-tests", "site-tests"], "runs"),
        ("http://127.0.0.1:3000", ["api-tests"], "not run"),
    ):
        step.environ["GITHUB_SERVER_URL"] = server
        assert step.run(main, token="t0ken") == 0
        assert [leg["check"] for leg in json.loads(step.outputs()["legs"])] == jobs
        assert f"| site-tests | {word} |" in step.summary()
