"""What every test begins with."""

from __future__ import annotations

import os
import tempfile

import pytest

from pipelines.faults import SURVIVED
from rehearsal import scratch


def pytest_configure() -> None:
    """What tests write is as short-lived as a world, and goes where its files go; so does what their processes write."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch.folder())


@pytest.fixture(autouse=True)
def nothing_survived() -> None:
    """What a process survived is told at its end; tests share a process, and begin with nothing."""
    SURVIVED.events.clear()
