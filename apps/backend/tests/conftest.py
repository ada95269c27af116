"""The backend and its development services, importable from wherever pytest is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parents[1]))

# The same examples every time: a pull request is red for what it changed. `explore` looks for new ones.
settings.register_profile("steady", max_examples=40, deadline=None, derandomize=True, database=None)
settings.register_profile("explore", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
