from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.lint import waits

ROOT = Path(__file__).parents[3]


def problems(root: Path, text: str) -> list[str]:
    (root / "e2e").mkdir()
    (root / "e2e/test_it.py").write_text(text)
    return list(waits.problems(root))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("page.wait_for_timeout(500)", "wait_for_timeout()"),
        ("import time\ntime.sleep(1)", "sleep()"),
        ("from time import sleep\nsleep(1)", "sleep()"),
        ("page.goto('/', wait_until='networkidle')", "networkidle"),
        ("page.evaluate('new Promise((done) => setTimeout(done, 500))')", "setTimeout"),
    ],
)
def test_a_fixed_wait_is_named_with_its_line(tmp_path: Path, text: str, named: str) -> None:
    line = text.count("\n") + 1
    assert problems(tmp_path, text) == [
        f"e2e/test_it.py:{line}: {named} waits a fixed time; wait for what a user would see"
    ]


def test_waiting_for_what_is_seen_is_well(tmp_path: Path) -> None:
    text = "page.get_by_role('alert').wait_for()\nexpect(page).to_have_title('x', timeout=500)\n# no sleep()\n"
    assert problems(tmp_path, text) == []


def test_the_platforms_own_tests_have_none() -> None:
    assert list((ROOT / "e2e").rglob("test_*.py"))
    assert list(waits.problems(ROOT)) == []
