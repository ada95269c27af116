"""What every test begins with."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pipelines.faults import SURVIVED
from rehearsal import scratch

ROOT = Path(__file__).parent

# The tests start hundreds of interpreters, and each would compile again what it imports.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_configure() -> None:
    """What tests write is as short-lived as a world, and goes where its files go; so does what their processes write."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch.folder())
    # How long an example takes says something of the machine's other work, not of the code.
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The stories first: they take longest, and begun last they would run alone at the end."""
    stories = ROOT / "stories"
    items.sort(
        key=lambda item: (
            stories not in item.path.parents,
            item.path.parent == stories and item.path.stem != "test_stories",
        )
    )


@pytest.fixture(autouse=True)
def nothing_survived() -> None:
    """What a process survived is told at its end; tests share a process, and begin with nothing."""
    SURVIVED.events.clear()
