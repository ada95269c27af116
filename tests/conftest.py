"""What every test begins with."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import HealthCheck, settings

from pipelines.faults import SURVIVED
from rehearsal import scratch


def pytest_configure() -> None:
    """What tests write is as short-lived as a world, and goes where its files go; so does what their processes write."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch.folder())
    # How long an example takes says something of the machine's other work, not of the code.
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def nothing_survived() -> None:
    """What a process survived is told at its end; tests share a process, and begin with nothing."""
    SURVIVED.events.clear()
