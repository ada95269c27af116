"""A platform on an emulated GitHub, for the tests that publish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.platform import Platform, platform


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Platform]:
    """techmate/platform with a first commit on main, CI green on it, and the release manager's clone."""
    with platform(tmp_path) as made:
        yield made
