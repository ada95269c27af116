"""A bad manifest: every mistake with file, line and key, and what was meant; exit code 3."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bad_input.conftest import Desk
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

MISTAKES = {
    "components/backend/imag": ("    image:", "    imag:", "unknown key, did you mean 'image'?"),
    "environments/production/backend/shift": ("shift: [10, 100]", "shift: [10, lots]", "shift"),
    "environments/staging/web/provider": ("provider: vercel", "provider: versel", "versel"),
}


def check(folder: Path, text: str | bytes) -> subprocess.CompletedProcess[str]:
    file = folder / "shipmate.yml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    argv = [sys.executable, "-P", "-m", "pipelines.cli", "manifest", "check"]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("key", MISTAKES)
def test_a_mistake_is_named_with_file_line_and_key(tmp_path: Path, key: str) -> None:
    good, bad, message = MISTAKES[key]
    text = MANIFEST.replace(good, bad, 1)
    ended = check(tmp_path, text)
    line = next(number for number, row in enumerate(text.splitlines(), 1) if bad.strip() in row)
    assert ended.returncode == 3, ended.stderr
    assert f"shipmate.yml:{line}" in ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = MANIFEST
    for good, bad, _ in MISTAKES.values():
        text = text.replace(good, bad, 1)
    ended = check(tmp_path, text)
    assert ended.returncode == 3
    assert all(message in ended.stderr for _, _, message in MISTAKES.values())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "platform: *nowhere",
        "\t",
        b"\xff\xfe",
        "a: 1\na: 2",
        "platform: !!python/object:os.system x",
        "platform: !!int x",
        "platform: 2026-99-99",
    ],
)
def test_what_is_no_manifest_at_all(tmp_path: Path, text: str | bytes) -> None:
    ended = check(tmp_path, text)
    assert ended.returncode == 3, ended.stderr
    assert "shipmate.yml" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_none_there(tmp_path: Path) -> None:
    argv = [sys.executable, "-P", "-m", "pipelines.cli", "status"]
    ended = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, "shipmate.yml" in ended.stderr, "next:" in ended.stderr) == (3, True, True)


def test_in_a_workflow_it_is_an_annotation_and_nothing_is_written(desk: Desk) -> None:
    desk.shop.proved("v1.0.0")
    file = desk.shop.checkout / "shipmate.yml"
    file.write_text(MANIFEST.replace("    image:", "    imag:"))
    ended = desk.plan("v1.0.0")
    (error,) = ended.commands("error")
    assert (ended.code, "did you mean 'image'?" in error) == (3, True)
    assert "did you mean 'image'?" in ended.summary
    desk.nothing_was_written()
