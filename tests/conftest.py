"""What every test begins with."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pipelines.faults import SURVIVED
from pipelines.github import budget
from rehearsal import scratch

STORIES = Path(__file__).parent / "stories/test_stories.py"

# The tests start hundreds of interpreters, and each would compile again what it imports.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_configure() -> None:
    """What tests write is as short-lived as a world, and goes where its files go; so does what their processes write."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch.folder())
    # How long an example takes says something of the machine's other work, not of the code.
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longest first, on every worker: begun last it would run alone at the end.

    `--dist worksteal` gives each worker a block of the list, and who is done takes tests from the end of another's block. So the
    long ones stand at the head of the blocks, the longest of all alone at its own.
    """
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    longest = [item for item in items if item.path == STORIES]
    long = [item for item in items if item.path != STORIES and item.get_closest_marker("long")]
    long.sort(key=lambda item: item.path.parent != STORIES.parent)
    first = {*longest, *long}
    rest = [item for item in items if item not in first]
    heads = (
        [longest, *(long[number :: workers - 1] for number in range(workers - 1))] if workers > 1 else [longest + long]
    )
    items[:] = []
    for number, head in enumerate(heads):
        size = (len(rest) + sum(map(len, heads[number:]))) // (workers - number)
        filling = max(0, size - len(head))
        items += head + rest[:filling]
        del rest[:filling]


@pytest.fixture(autouse=True)
def nothing_survived() -> None:
    """What a process survived is reported at its end; tests share a process, and begin with nothing."""
    SURVIVED.events.clear()
    budget.forget()
