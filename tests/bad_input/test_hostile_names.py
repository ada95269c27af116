"""A branch called `$(touch x)`, a title with workflow commands in it: through the real ci.yml and act, and into what people read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.scenario.assertions import eventually
from rehearsal.scenario.world_client import WorldClient
from rehearsal.world.handle import World
from tests.bad_input.conftest import Desk
from tests.small_platform import Terminal, clone

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[2]
BRANCH = "$(touch${IFS}injected)`id`;x"
TITLE = (
    "docs: ::error title=gotcha::gotcha %0A::set-output name=checks::{} ```<img src=x>| @everyone\n::error::second line"
)
SECONDS = 120


@pytest.fixture(scope="module")
def place() -> Iterator[WorldClient]:
    """A world with this very repository in it."""
    with World(ROOT) as found:
        yield found


def ended(place: WorldClient, find: Callable[[Any], Any], seconds: float = SECONDS) -> dict[str, Any]:
    """The first run that `find` picks, once it has ended."""
    with place.github("release-manager") as client:

        def look() -> dict[str, Any] | None:
            runs = client.get(f"/repos/{place.repository}/actions/runs").json()["workflow_runs"]
            found: dict[str, Any] | None = next((run for run in runs if find(run)), None)
            return found if found and found["status"] == "completed" else None

        return eventually(look, "the run to end", seconds=seconds)


def test_a_branch_and_a_title_are_data_all_the_way(place: WorldClient, tmp_path: Path) -> None:
    checkout = clone(place, "dev-1", tmp_path / "clone")
    (checkout / "README.md").write_text("# Changed\n")
    terminal = Terminal(place, checkout, "dev-1")
    git(terminal, "switch", "-q", "-c", BRANCH)
    git(terminal, "commit", "-q", "-a", "-m", TITLE)
    git(terminal, "push", "-q", "origin", BRANCH)
    with place.github("dev-1") as client:
        pull = client.post(f"/repos/{place.repository}/pulls", json={"title": TITLE, "head": BRANCH, "base": "main"})
        assert pull.status_code == 201, pull.text
        run = ended(place, lambda run: run["head_branch"] == BRANCH)
        jobs = client.get(f"/repos/{place.repository}/actions/runs/{run['id']}/jobs").json()["jobs"]
        assert run["conclusion"] == "success", jobs
        assert {job["conclusion"] for job in jobs} <= {"success", "skipped"}
        checks = client.get(f"/repos/{place.repository}/commits/{run['head_sha']}/check-runs").json()["check_runs"]
        assert checks
        annotations = [a for check in checks for a in client.get(check["output"]["annotations_url"]).json()]
        assert not [a for a in annotations if "gotcha" in a["message"] or "second line" in a["message"]]
        comments = client.get(f"/repos/{place.repository}/issues/{pull.json()['number']}/comments").json()
        assert len(comments) == 1
        assert not re.search(r"gotcha|@everyone|<img", comments[0]["body"])
    assert not list(place.root.rglob("injected"))
    assert not (ROOT / "injected").exists()


def git(terminal: Terminal, *argv: str) -> None:
    import subprocess

    done = subprocess.run(
        ["git", *argv], cwd=terminal.checkout, env=terminal.environ(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("workflow", "inputs", "message"),
    [
        ("deploy-production.yml", {"verison": "v1.0.0"}, "Unexpected inputs provided"),
        ("deploy-production.yml", {"version": "v1.0.0", "force": "true"}, "Unexpected inputs provided"),
        ("deploy-production.yml", {}, "Required input 'version' not provided"),
        ("rollback.yml", {"environment": "prod"}, "not in the list of allowed values"),
    ],
)
def test_unknown_workflow_input(place: WorldClient, workflow: str, inputs: dict[str, str], message: str) -> None:
    """GitHub refuses the dispatch; nothing starts."""
    with place.github("release-manager") as client:
        before = client.get(f"/repos/{place.repository}/actions/workflows/{workflow}/runs").json()["total_count"]
        path = f"/repos/{place.repository}/actions/workflows/{workflow}/dispatches"
        answer = client.post(path, json={"ref": "main", "inputs": inputs})
        assert answer.status_code == 422
        assert message in answer.json()["message"]
        after = client.get(f"/repos/{place.repository}/actions/workflows/{workflow}/runs").json()["total_count"]
        assert after == before


def test_a_commit_with_commands_in_its_title_is_planned_as_text(desk: Desk) -> None:
    commit = desk.shop.commit(TITLE)
    desk.shop.check(commit)
    desk.shop.end(desk.shop.prove(commit), "success")
    desk.shop.tag("v1.0.0", commit)
    found = desk.plan("v1.0.0")
    assert found.code == 0
    assert found.commands("error") == []
    assert "docs: ::error title=gotcha::gotcha" in found.log
    assert set(found.outputs) == {"version", "commit", "components", "plan", "state", "url", "browser_tests"}
    block = re.search(r"^(`{4,})text\n(.*?)\n\1$", found.summary, re.MULTILINE | re.DOTALL)
    assert block is not None
    assert "<img src=x>" in block[2]
    assert "<img" not in found.summary.replace(block[0], "")
