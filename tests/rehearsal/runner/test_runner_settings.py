from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.runner.settings import job_path, python_folder


def test_steps_find_python_where_the_system_calls_it_python3_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    real = Path(sys.executable).resolve()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    (tmp_path / "bin" / "python3").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python3"))
    folder = python_folder()
    assert job_path().endswith(f":{folder}")
    assert python_folder() == folder
    assert [path.name for path in folder.iterdir()] == ["python"]
    done = subprocess.run([folder / "python", "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"


def test_a_python_of_that_name_needs_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    for name in ("python", "python3.11"):
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3.11"))
    assert python_folder() == tmp_path.resolve()
    assert not (tmp_path / "home").exists()
