"""The stories that `make rehearse` leaves out for their length, told in one world of their own, after the quick start.

One test, so that one world is told at a time, however many workers there are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rehearsal.report.model import Report
from rehearsal.stories import telling
from rehearsal.stories.table import STORIES, chosen

pytestmark = pytest.mark.world

ROOT = Path(__file__).resolve().parents[2]


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


def problems(report: Report) -> str:
    """Everything that did not hold, in words; empty when all did."""
    said = [f"{story.title}: {story.problem or 'it did not pass'}" for story in report.stories if not story.passed]
    return "\n\n".join([*said, *report.checked.violations])


def test_killed_at_every_write_and_unreliable_providers_are_survived(platform: Path, tmp_path: Path) -> None:
    unusual = tuple(story.name for story in STORIES.values() if not story.usual)
    assert {"killed", "flaky-providers"} <= set(unusual)
    stories = chosen(unusual, everything=False)
    report, page = telling.rehearse(platform, stories, tmp_path / "report")
    assert problems(report) == ""
    assert [story.name for story in report.stories] == [story.name for story in stories]
    assert report.passed
    assert page.is_file()
