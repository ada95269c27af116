"""What Renovate is to raise is found by the patterns of .github/renovate.json5: a pin that none matches would grow old unseen."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / ".github" / "renovate.json5").read_text()
QUOTED = r"""(?:"((?:[^"\\\\]|\\\\.)*)"|'((?:[^'\\\\]|\\\\.)*)')"""


def listed(key: str) -> list[str]:
    """The texts of every list of that name, in order, without JSON's escapes and with Python's names of groups."""
    lists = re.findall(rf"{key}: \[(.*)\]", TEXT)
    found = ["".join(pair) for one in lists for pair in re.findall(QUOTED, one)]
    return [text.replace("\\\\", "\\").replace("(?<", "(?P<") for text in found]


FILES = [pattern.strip("/").replace("\\/", "/") for pattern in listed("managerFilePatterns")]
PINS = listed("matchStrings")


def tracked() -> list[str]:
    return subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True
    ).stdout.split()


@pytest.mark.parametrize("pattern", FILES)
def test_every_pattern_finds_a_file(pattern: str) -> None:
    assert [name for name in tracked() if re.search(pattern, name)]


def test_every_lock_says_how_it_is_made_again() -> None:
    locks = [name for name in tracked() if name.endswith(".txt") and "--hash=sha256:" in (ROOT / name).read_text()]
    assert len(locks) >= 5
    for name in locks:
        assert any(re.search(pattern, name) for pattern in FILES), name
        assert re.search(
            rf"^#    uv pip compile .*--output-file {re.escape(name)} ", (ROOT / name).read_text(), re.MULTILINE
        ), name


def test_every_base_image_of_the_manifest_is_found() -> None:
    for name in ("shipmate.yml", "examples/services/shipmate.yml"):
        text = (ROOT / name).read_text()
        assert len(re.findall(PINS[0], text)) == len(re.findall(r"^ +base: ", text, re.MULTILINE)) > 0


def test_every_action_that_python_pins_is_found() -> None:
    sources = [(ROOT / name).read_text() for name in tracked() if re.match(r"actions/.+\.py$", name)]
    assert (
        sum(len(re.findall(PINS[1], text)) for text in sources)
        == sum(text.count("      uses: ") for text in sources)
        > 0
    )


def test_every_pin_of_the_workflows_test_is_found() -> None:
    from tests.workflows.test_workflow_actions import PINS as known

    found = {
        match["depName"]
        for match in re.finditer(PINS[2], (ROOT / "tests" / "workflows" / "test_workflow_actions.py").read_text())
    }
    assert found == set(known)
