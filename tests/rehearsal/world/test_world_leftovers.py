"""Folders of killed worlds are removed by the next one; those of living worlds stay."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rehearsal.world import leftovers


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def dead_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_folder_is_new_and_named_after_its_owner(temporary: Path) -> None:
    one, other = leftovers.folder(), leftovers.folder()
    assert one != other
    assert one.parent == temporary
    assert one.name.startswith(f"shipmate-world-{os.getpid()}-")


def test_only_what_nobody_owns_is_swept(temporary: Path) -> None:
    mine = leftovers.folder()
    dead = temporary / f"shipmate-world-{dead_process()}-abc"
    (dead / "runner/jobs").mkdir(parents=True)
    (dead / "runner/jobs/file").touch()
    others = [temporary / name for name in ("shipmate-world-", "shipmate-world-abc", "another")]
    for folder in others:
        folder.mkdir()
    assert leftovers.sweep() == [dead]
    assert not dead.exists()
    assert mine.is_dir()
    assert all(folder.is_dir() for folder in others)
    assert leftovers.sweep(temporary) == []
