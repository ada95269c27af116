"""What every test begins with."""

from __future__ import annotations

import pytest

from pipelines.faults import SURVIVED


@pytest.fixture(autouse=True)
def nothing_survived() -> None:
    """What a process survived is told at its end; tests share a process, and begin with nothing."""
    SURVIVED.events.clear()
