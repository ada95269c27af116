from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from actions.plan_ci import main

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
        "pull_request": {"number": 7, "title": TITLE, "base": {"sha": base}, "head": {"ref": "$(touch${IFS}injected)"}}
    }


def decided(step: Any) -> dict[str, str]:
    """Check -> run or skip."""
    return {one["check"]: "run" if one["runs"] else "skip" for one in json.loads(step.outputs()["plan"])}


def reasons(step: Any) -> dict[str, str]:
    return {one["check"]: one["why"] for one in json.loads(step.outputs()["plan"])}


def test_only_what_is_affected_runs(step: Any, commits: list[str]) -> None:
    step.event(pull(commits[0]))
    assert step.run(main) == 0
    assert decided(step) == {"api-tests": "skip", "site-tests": "run"}
    assert reasons(step)["site-tests"] == "site: site/index.html changed"
    assert "| site-tests | runs | `site: site/index.html changed` |" in step.summary()


def test_odd_names_and_titles_are_only_text(step: Any, commits: list[str]) -> None:
    step.event(pull(commits[0]))
    assert step.run(main) == 0
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
    assert step.run(main) == 0
    assert set(decided(step).values()) == {"run"}
    assert not step.commands("error")


def test_a_base_that_is_gone_runs_everything_and_says_why(step: Any, commits: list[str]) -> None:
    step.event(pull("1" * 40))
    assert step.run(main) == 0
    assert set(decided(step).values()) == {"run"}
    assert "is not in this clone" in step.summary()


def test_a_bad_manifest_stops_it_with_the_line(step: Any, commits: list[str]) -> None:
    Path("shipmate.yml").write_text(MANIFEST.replace("api-tests: {run", "api-tests: {runs"))
    assert step.run(main) == 3
    assert "unknown key, did you mean 'run'?" in step.commands("error")[0]
    assert "plan" not in step.outputs()
