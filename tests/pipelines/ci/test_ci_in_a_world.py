"""What is green and what is red on main, seen through the real workflow file in a world with a small platform of someone else's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.user import User
from rehearsal.world.handle import World
from tests.shop_files import MANIFEST
from tests.small_platform import write

pytestmark = pytest.mark.world

ROOT = Path(__file__).resolve().parents[3]
SUITE = (".github/workflows/ci.yml", "actions", "pipelines", "release", "requirements", "pyproject.toml")
ALWAYS = {"Plan", "Report", "ci"}
CHECKS = """
  checks:
    backend-tests: {title: Backend tests, components: [backend], python: false, run: [python apps/backend/check.py]}
    web-tests: {title: Web tests, components: [web], python: false, run: [python -c pass]}
    types: {title: Types, components: [backend, web], not_rehearsed: too large, run: [python -c 1/0]}
"""
NOT_BOTH = 'import pathlib, sys\nsys.exit(len(list(pathlib.Path("apps/backend/sides").glob("*"))) > 1)\n'
"""Either change is well alone; together they are not."""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """A fresh world whose repository has the suite, and checks that take no time."""
    folder = write(tmp_path_factory.mktemp("platform"))
    for name in SUITE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, folder / name)
    manifest = folder / "shipmate.yml"
    one_line = next(line for line in MANIFEST.splitlines() if line.startswith("  checks:"))
    manifest.write_text(manifest.read_text().replace(one_line, CHECKS.strip("\n")))
    (folder / "apps/backend/check.py").write_text(NOT_BOTH)
    (folder / ".gitignore").write_text("reports/\n.venv\n__pycache__/\nresults/\n")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    with World(folder) as client:
        yield Scenario(world=client, log=EventLog(story="green and red"))
        assert client.inspect("violations") == []


class Change:
    """A pull request of dev-1's that writes one file, from main as it is there."""

    def __init__(self, scenario: Scenario, branch: str, path: str) -> None:
        self.scenario, self.dev = scenario, scenario.user("dev-1")
        self.dev.update_main()
        self.dev.write(path, f"{branch}\n")
        scenario.push_branch(self.dev, branch, f"feat: {branch}")
        self.number = scenario.open_pull_request(self.dev, branch, f"feat: {branch}")
        self.run = scenario.find_run(self.dev.head(branch), "ci.yml", "pull_request")

    def ended(self, conclusion: str) -> set[str]:
        """The checks that ran; the run must have ended so."""
        self.scenario.expect_conclusion(self.run, conclusion)
        return ran(self.scenario, self.run)

    def merged(self, method: str) -> int:
        """By the button; the run of main."""
        self.scenario.approve_pull_request(self.scenario.user("dev-2"), self.number)
        merge = self.dev.api("PUT", f"pulls/{self.number}/merge", {"merge_method": method})
        return self.scenario.find_run(merge["sha"], "ci.yml", "push")


def ran(scenario: Scenario, run: int) -> set[str]:
    """Titles of the checks that ran."""
    return {name for name, job in scenario.jobs(run).items() if job["conclusion"] != "skipped"} - ALWAYS


def planned(scenario: Scenario, run: int) -> str:
    """The output of the plan."""
    return scenario.job_log(scenario.jobs(run)["Plan"]["id"])


@pytest.mark.long
def test_main_is_green_only_when_it_was_found_so(scenario: Scenario) -> None:
    dev: User = scenario.user("dev-1")
    history = scenario.observer.api("GET", "actions/workflows/ci.yml/runs")["workflow_runs"]
    assert [(run["event"], run["conclusion"]) for run in history] == [("push", "success")]

    # Three pull requests from one base: each runs its own checks alone, for the base is green.
    web, left, right = (
        Change(scenario, "page", "apps/web/dist/more.html"),
        Change(scenario, "left", "apps/backend/sides/left"),
        Change(scenario, "right", "apps/backend/sides/right"),
    )
    assert web.ended("success") == {"Web tests"}
    assert left.ended("success") == right.ended("success") == {"Backend tests"}
    assert "types            a rehearsal does not run it: too large" in planned(scenario, left.run)

    # The first merge has the very files that its pull request was checked with.
    first = web.merged("merge")
    scenario.expect_conclusion(first, "success")
    assert ran(scenario, first) == set()
    assert "these very files passed in" in planned(scenario, first)

    # The next has not: main moved on meanwhile. What it changes is checked, and no more.
    second = left.merged("squash")
    scenario.expect_conclusion(second, "success")
    assert ran(scenario, second) == {"Backend tests"}

    # Two changes that were green alone make main red.
    third = right.merged("rebase")
    scenario.expect_conclusion(third, "failure")
    assert ran(scenario, third) == {"Backend tests"}

    # Nothing that touches no check is green over that.
    docs = Change(scenario, "guide", "docs/guide.md")
    assert docs.ended("failure") == {"Backend tests"}
    assert "backend-tests is not green on main: backend: apps/backend/sides/right changed since" in planned(
        scenario, docs.run
    )
    scenario.approve_pull_request(scenario.user("dev-2"), docs.number)
    dev.api("PUT", f"pulls/{docs.number}/merge", {"merge_method": "merge"}, ok=(405,))

    # What fixes it is green, and so is main from then on.
    dev.update_main()
    (dev.clone / "apps/backend/sides/left").unlink()
    fixed = Change(scenario, "fix", "apps/backend/sides/right")
    assert fixed.ended("success") == {"Backend tests"}
    scenario.expect_conclusion(fixed.merged("merge"), "success")
    more = Change(scenario, "more", "docs/more.md")
    assert more.ended("success") == set()

    # A push that takes main to a checked head brings what was checked.
    scenario.approve_pull_request(scenario.user("dev-2"), more.number)
    pushed = scenario.find_run(scenario.merge(dev, "more"), "ci.yml", "push")
    scenario.expect_conclusion(pushed, "success")
    assert ran(scenario, pushed) == set()
    assert "these very files passed in" in planned(scenario, pushed)
