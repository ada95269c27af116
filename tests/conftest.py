"""A folder for temporary files that all workers and all they start share, gone after the run."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Before any worker starts. What killed processes leave behind lands here; pytest's own folders stay where they are."""
    if hasattr(config, "workerinput"):
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix="shipmate-tests-"))
    folder.chmod(0o755)  # Postgres runs as another user when this is root
    config.stash[_FOLDER] = folder
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_FOLDER, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The stories first: they take minutes, and the other workers do the rest meanwhile."""
    items.sort(key=lambda item: "tests/stories/" not in item.nodeid)
