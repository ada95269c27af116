"""Temporary files go to memory only where it is safe and plenty."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from rehearsal import scratch

GB = 1 << 30


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with plenty of memory, whose files in memory are in this folder."""
    folder = tmp_path / "shm"
    folder.mkdir()
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "SHARED_MEMORY", folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=8 * GB))
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_flag=0))
    available(tmp_path, monkeypatch, "MemTotal: 16000000 kB\nMemAvailable:   8388608 kB\n")
    return folder


def available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "meminfo").write_text(text)
    monkeypatch.setattr(scratch, "MEMINFO", tmp_path / "meminfo")


def test_memory_is_taken_where_there_is_plenty(memory: Path, tmp_path: Path) -> None:
    assert scratch.folder() == memory
    assert scratch.folders() == [tmp_path, memory]


def test_what_the_user_says_goes_before_everything(
    memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert scratch.folder() == tmp_path
    assert memory in scratch.folders()  # a world may have died there before it was set


@pytest.mark.parametrize("meminfo", ["MemAvailable: 3000000 kB\n", "MemFree: 9000000 kB\n", "MemAvailable: much\n", ""])
def test_too_little_memory_or_an_unknown_amount_leaves_the_disk(
    meminfo: str, memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    available(tmp_path, monkeypatch, meminfo)
    assert scratch.folder() == tmp_path


def test_a_small_file_system_is_left_alone_as_in_a_container(
    memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=64 << 20))
    assert scratch.folder() == tmp_path


def test_one_that_runs_no_programs_is_of_no_use(memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_flag=os.ST_NOEXEC))
    assert scratch.folder() == tmp_path


def test_a_machine_without_it_uses_the_disk(memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "SHARED_MEMORY", tmp_path / "none")
    assert scratch.folder() == tmp_path
    assert scratch.folders() == [tmp_path]
