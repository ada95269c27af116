"""What is green and what is red on main, told through the real workflow file in a world with a small platform of somebody else's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.scenario.event_log import Diary
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user import Person
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
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routine]:
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
    with World(folder) as place:
        yield Routine(place=place, diary=Diary(story="green and red"))
        assert place.inspect("violations") == []


class Change:
    """A pull request of dev-1's that writes one file, from main as it is there."""

    def __init__(self, at: Routine, branch: str, path: str) -> None:
        self.at, self.dev = at, at.person("dev-1")
        self.dev.git("checkout", "-q", "main")
        self.dev.git("pull", "-q", "origin", "main")
        self.dev.writes(path, f"{branch}\n")
        at.branch(self.dev, branch, f"feat: {branch}")
        self.number = at.open_pull_request(self.dev, branch, f"feat: {branch}")
        self.run = at.run_of(self.dev.git("rev-parse", branch).out.strip(), "ci.yml", "pull_request")

    def ended(self, conclusion: str) -> set[str]:
        """The checks that ran; the run must have ended so."""
        self.at.must_end(self.run, conclusion)
        return ran(self.at, self.run)

    def merged(self, method: str) -> int:
        """By the button; the run of main."""
        self.at.approve_pull_request(self.at.person("dev-2"), self.number)
        merge = self.dev.api("PUT", f"pulls/{self.number}/merge", {"merge_method": method})
        return self.at.run_of(merge["sha"], "ci.yml", "push")


def ran(at: Routine, run: int) -> set[str]:
    """Titles of the checks that ran."""
    return {name for name, job in at.jobs(run).items() if job["conclusion"] != "skipped"} - ALWAYS


def planned(at: Routine, run: int) -> str:
    """What the plan said."""
    job = at.jobs(run)["Plan"]
    return str(at.observer.api("GET", f"actions/jobs/{job['id']}/logs", ok=(200, 302)))


@pytest.mark.long
def test_main_is_green_only_when_it_was_found_so(at: Routine) -> None:
    dev: Person = at.person("dev-1")
    history = at.observer.api("GET", "actions/workflows/ci.yml/runs")["workflow_runs"]
    assert [(run["event"], run["conclusion"]) for run in history] == [("push", "success")]

    # Three pull requests from one base: each runs its own checks alone, for the base is green.
    web, left, right = (
        Change(at, "page", "apps/web/dist/more.html"),
        Change(at, "left", "apps/backend/sides/left"),
        Change(at, "right", "apps/backend/sides/right"),
    )
    assert web.ended("success") == {"Web tests"}
    assert left.ended("success") == right.ended("success") == {"Backend tests"}
    assert "types            a rehearsal does not run it: too large" in planned(at, left.run)

    # The first merge has the very files that its pull request was checked with.
    first = web.merged("merge")
    at.must_end(first, "success")
    assert ran(at, first) == set()
    assert "these very files passed in" in planned(at, first)

    # The next has not: main moved on meanwhile. What it changes is checked, and no more.
    second = left.merged("squash")
    at.must_end(second, "success")
    assert ran(at, second) == {"Backend tests"}

    # Two changes that were green alone make main red.
    third = right.merged("rebase")
    at.must_end(third, "failure")
    assert ran(at, third) == {"Backend tests"}

    # Nothing that touches no check is green over that.
    docs = Change(at, "guide", "docs/guide.md")
    assert docs.ended("failure") == {"Backend tests"}
    assert "backend-tests is not green on main: backend: apps/backend/sides/right changed since" in planned(
        at, docs.run
    )
    at.approve_pull_request(at.person("dev-2"), docs.number)
    dev.api("PUT", f"pulls/{docs.number}/merge", {"merge_method": "merge"}, ok=(405,))

    # What mends it is green, and so is main from then on.
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    (dev.clone / "apps/backend/sides/left").unlink()
    mended = Change(at, "mend", "apps/backend/sides/right")
    assert mended.ended("success") == {"Backend tests"}
    at.must_end(mended.merged("merge"), "success")
    more = Change(at, "more", "docs/more.md")
    assert more.ended("success") == set()

    # A push that takes main to a checked head brings what was checked.
    at.approve_pull_request(at.person("dev-2"), more.number)
    pushed = at.run_of(at.merge(dev, "more"), "ci.yml", "push")
    at.must_end(pushed, "success")
    assert ran(at, pushed) == set()
    assert "these very files passed in" in planned(at, pushed)
