from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MANIFEST = """
platform: {name: shop, repository: shop/shop}
components:
  api: {paths: ["api/**"]}
  site: {paths: ["site/**"]}
ci:
  always: [shipmate.yml]
  checks:
    api-tests: {run: ["python -c 'print(1)'"], components: [api]}
    site-tests: {run: ["python -c 'raise SystemExit(3)'"], components: [site]}
environments: {}
"""


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=dev-1", "-c", "user.email=dev-1@example.com"]
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Branch feature, with a change of api/ that is not committed."""
    (tmp_path / "shipmate.yml").write_text(MANIFEST)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    git(tmp_path, "checkout", "-q", "-b", "feature")
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "x.py").write_text("x")
    return tmp_path


def shipmate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    environ.pop("GITHUB_ACTIONS", None)
    argv = [sys.executable, "-P", "-m", "pipelines.cli", *arguments]
    return subprocess.run(argv, cwd=root, env=environ, capture_output=True, text=True, check=False)


def test_plan_says_what_runs_and_why(checkout: Path) -> None:
    done = shipmate(checkout, "ci", "plan")
    assert done.returncode == 0, done.stderr
    assert "run   api-tests   api: api/x.py changed" in done.stdout
    assert "skip  site-tests  nothing that site depends on changed" in done.stdout


def test_plan_for_programs(checkout: Path) -> None:
    answer = json.loads(shipmate(checkout, "ci", "plan", "--json", "--base", "main").stdout)
    assert answer["checks"] == {"api-tests": "run", "site-tests": "skip"}


def test_run_without_a_name_runs_what_the_change_needs(checkout: Path) -> None:
    done = shipmate(checkout, "ci", "run")
    assert done.returncode == 0, done.stderr
    assert "passed  api-tests" in done.stdout
    assert "site-tests (" not in done.stdout


def test_run_names_what_failed(checkout: Path) -> None:
    done = shipmate(checkout, "ci", "run", "site-tests", "api-tests")
    assert done.returncode == 7
    assert "failed  site-tests" in done.stdout
    assert "passed  api-tests" in done.stdout
    assert "1 of 2 checks failed: site-tests" in done.stderr


def test_run_knows_the_names_before_it_runs_any(checkout: Path) -> None:
    done = shipmate(checkout, "ci", "run", "api-tests", "site-test")
    assert done.returncode == 4
    assert "did you mean 'site-tests'?" in done.stderr
    assert "passed" not in done.stdout


def test_explain_tells_of_files_that_need_not_exist(checkout: Path) -> None:
    done = shipmate(checkout, "ci", "explain", "site/new.ts", "docs/x.md")
    assert done.returncode == 0, done.stderr
    assert "docs/x.md affects nothing" in done.stdout
    assert "component site         site/new.ts changed" in done.stdout


def test_an_unknown_base_says_so(checkout: Path) -> None:
    done = shipmate(checkout, "ci", "plan", "--base", "mian")
    assert done.returncode == 4
    assert "git knows no commit 'mian'" in done.stderr


def test_lint_lists_its_tools_and_knows_their_names() -> None:
    listed = shipmate(ROOT, "lint", "--list")
    assert "zizmor           security of workflows and actions" in listed.stdout
    unknown = shipmate(ROOT, "lint", "zizmo")
    assert unknown.returncode == 2
    assert "there is no tool 'zizmo'" in unknown.stderr
    assert "there is no tool 'zizmo'" in shipmate(ROOT, "lint", "--without", "zizmo").stderr
    fewer = shipmate(ROOT, "lint", "--list", "--without", "zizmor", "--without", "ruff")
    left = [line.split()[0] for line in listed.stdout.splitlines()]
    assert [line.split()[0] for line in fewer.stdout.splitlines()] == [n for n in left if n not in ("zizmor", "ruff")]


def test_lint_runs_one_tool() -> None:
    done = shipmate(ROOT, "lint", "manifest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    manifest" in done.stdout
