"""What doctor finds at GitHub beside rules and secrets: what a plan leaves out, who may bypass, and queues that would wait for ever."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.delivery.context import require_github
from pipelines.delivery.doctor import github, merge_queue
from pipelines.findings import Finding
from rehearsal.github.protection.state import Rule
from tests.rehearsal.github.scene import CI
from tests.shop import REPOSITORY, Shop

pytestmark = pytest.mark.world

APPROVALS = ("production-approval", "production-break-glass")


@pytest.fixture
def scene(shop: Shop) -> Shop:
    """Reviewers, no bypass, and the secret of the jobs that deploy."""
    seed = shop.github.seed
    shop.do(seed.role, REPOSITORY, "admin-1", "admin")
    for name in APPROVALS:
        shop.do(seed.environment, REPOSITORY, name, branches=("main",), reviewers=("on-call",), admins_bypass=False)
    for name in ("production-deploy", "staging"):
        shop.do(seed.secrets, REPOSITORY, {"VERCEL_TOKEN": "x"}, environment=name)
    return shop


def found(shop: Shop) -> dict[str, Finding]:
    """Subject -> what is not well about it, as an administrator sees it."""
    client = require_github(shop.context("production", login="admin-1"))
    findings = github.look(client, shop.manifest, ["production"])
    return {each.subject: each for each in findings if each.state != "ok"}


def private(shop: Shop, plan: str) -> None:
    repository = shop.github.instance.repository(REPOSITORY)
    repository.private, repository.settings.plan = True, plan


def test_nothing_is_missing_where_all_is_set(scene: Shop) -> None:
    assert found(scene) == {}
    private(scene, "enterprise")
    assert found(scene) == {}


def test_a_private_repository_asks_reviewers_on_enterprise_alone(scene: Shop) -> None:
    private(scene, "team")
    for name in APPROVALS:
        scene.github.instance.repository(REPOSITORY).environments[name].reviewers.clear()
    findings = found(scene)
    assert set(findings) == {f"environment {name}" for name in APPROVALS}
    for finding in findings.values():
        assert finding.state == "unknown", "people answer by comment there"
        assert "which private repositories have on GitHub Enterprise alone" in finding.says
        assert "answer by comment" in finding.fix


def test_a_public_repository_can_ask_reviewers(scene: Shop) -> None:
    scene.do(scene.github.seed.environment, REPOSITORY, APPROVALS[0], branches=("main",), admins_bypass=False)
    [finding] = found(scene).values()
    assert finding.fix == f"Settings → Environments → {APPROVALS[0]} → Required reviewers"
    assert "Enterprise" not in finding.says


@pytest.mark.parametrize("name", APPROVALS)
def test_administrators_that_may_bypass_an_environment(scene: Shop, name: str) -> None:
    environment = scene.github.instance.repository(REPOSITORY).environments[name]
    environment.admins_bypass = True
    [finding] = found(scene).values()
    assert (finding.state, finding.subject) == ("missing", f"environment {name}")
    assert finding.says == "administrators may bypass its protection"
    assert "uncheck “Allow administrators to bypass configured protection rules”" in finding.fix
    environment.admins_bypass = False
    assert found(scene) == {}


@pytest.mark.parametrize("name", ["production-deploy", *APPROVALS])
def test_an_environment_that_is_not_there(scene: Shop, name: str) -> None:
    kept = scene.github.instance.repository(REPOSITORY).environments.pop(name)
    finding = found(scene)[f"environment {name}"]
    assert finding.state in ("missing", "unknown")
    client = require_github(scene.context("production", login="admin-1"))
    [missing] = [each for each in github.look(client, scene.manifest, ["production"]) if each.state == "missing"]
    assert missing.says == "does not exist: GitHub would make it by itself, unprotected"
    assert f"gh api -X PUT repos/{REPOSITORY}/environments/{name}" in missing.fix
    scene.github.instance.repository(REPOSITORY).environments[name] = kept
    assert found(scene) == {}


# the merge queue -----------------------------------------------------------------------------------------------------------


def with_queue(shop: Shop) -> None:
    [ruleset] = [each for each in shop.github.instance.repository(REPOSITORY).rulesets.values() if each.name == "main"]
    ruleset.rules.append(Rule(type="merge_queue"))


def test_a_required_check_that_never_runs_in_the_queue(scene: Shop) -> None:
    with_queue(scene)
    [finding] = found(scene).values()
    assert (finding.state, finding.subject) == ("missing", "merge queue of main, check ci")
    assert finding.says == ".github/workflows/ci.yml does not run on merge_group: the queue waits for it for ever"
    assert finding.fix == "add `merge_group:` below `on:` in .github/workflows/ci.yml"
    files = {".github/workflows/ci.yml": CI.replace("  pull_request:\n", "  pull_request:\n  merge_group:\n")}
    scene.commit("ci: run in the merge queue", files=files)
    assert found(scene) == {}


def running_on(events: object, key: object = "on") -> dict[Any, Any]:
    return {key: events, "jobs": {"lint": {"name": "Lint"}, "ci": {}}}


@pytest.mark.parametrize(
    ("workflow", "check", "state"),
    [
        (running_on(["push", "merge_group"]), "ci", "ok"),
        (running_on({"merge_group": None}, key=True), "Lint", "ok"),
        (running_on("merge_group"), "ci", "ok"),
        (running_on("push"), "ci", "missing"),
        (running_on({"push": None}), "Lint", "missing"),
        (running_on("push"), "lint", "unknown"),
        ({"jobs": None}, "ci", "unknown"),
    ],
)
def test_which_workflow_reports_a_check(workflow: dict[Any, Any], check: str, state: str) -> None:
    finding = merge_queue.reported(check, {"w.yml": workflow}, "main")
    assert (finding.state, bool(finding.fix)) == (state, state == "missing")
