"""Every story that the tests of a change have time for, by the one command that users type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.stories.table import STORIES

pytestmark = pytest.mark.world

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("shipmate")


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """What this checkout tracks, without what else lies in it: that would fail the rehearsed CI. Its environment is this one's."""
    copy = tmp_path / "platform"
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True).stdout
    for name in (os.fsdecode(name) for name in listed.split(b"\0") if name):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


def problems(report: dict[str, Any]) -> str:
    """Everything that did not hold, story by story, in words; empty when all did."""
    lines = [
        f"{story['name']}: {story['problem'] or 'it did not pass'}"
        for story in report["stories"]
        if not story["passed"]
    ]
    lines += [f"{name}: not run" for name in report["not_run"]]
    return "\n\n".join([*lines, *report["contracts"]["violations"]])


def test_shipmate_rehearse(platform: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    names = [story.name for story in STORIES.values() if not story.nightly]
    chosen = [word for name in names for word in ("--story", name)]
    argv = [COMMAND, "rehearse", *chosen, "--repository", platform, "--output", folder]
    ended = subprocess.run(argv, cwd=platform, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (folder / "report.json").is_file(), (
        f"exit {ended.returncode}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
    )
    report = json.loads((folder / "report.json").read_text())
    assert problems(report) == ""
    assert [story["name"] for story in report["stories"]] == names
    assert report["passed"]
    assert ended.returncode == 0
    assert "all passed" in (folder / "index.html").read_text()
