"""No browser to test with; and the other ways in which browser tests prove nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.bad_input.conftest import Desk, Ended

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[2]


TESTS = f"""browser_tests:
  run: ["{sys.executable} -m pytest -q -p no:cacheprovider --junitxml=reports/e2e.xml e2e"]
  report: reports/e2e.xml
  env: {{E2E_WEB_URL: "{{url of web}}", E2E_API_URL: "{{url of backend}}", E2E_ARTIFACTS: "{{artifacts}}"}}
"""


def run_e2e(desk: Desk) -> Ended:
    """In the job's workspace, where for once the release's commit is, too."""
    with (desk.shop.checkout / "shipmate.yml").open("a") as file:
        file.write(TESTS)
    return desk.step("run_e2e", environment="staging", version="sha-1", source=".")


@pytest.mark.long
def test_no_browser(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's own tests, and a machine without one."""
    shutil.copytree(ROOT / "e2e", desk.shop.checkout / "e2e", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.delenv("SHIPMATE_OVERLAY")
    monkeypatch.setenv("SHIPMATE_BROWSER", "/nonexistent/chromium")
    monkeypatch.setenv("HOME", str(desk.folder))
    ended = run_e2e(desk)
    (error,) = ended.commands("error")
    assert ended.code == 11, ended.log[-2000:]
    assert "there is no browser to test with: Failed to launch chromium" in error
    assert "next: run `make setup`" in error


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("", 7, "the browser tests did not run|no browser test ran"),
        ("def test_x(: pass", 7, "did not run|failed"),
        ("def test_one(): assert False\ndef test_two(): pass", 7, "1 of 2 browser tests failed: test_one"),
        ("import pytest\npytest.exit('no target', returncode=4)", 7, "e2e|browser test"),
        ("def test_one(): pass", 0, ""),
    ],
)
def test_nothing_measured_is_no_success(desk: Desk, content: str, code: int, message: str) -> None:
    folder = desk.shop.checkout / "e2e"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "test_it.py").write_text(content)
    ended = run_e2e(desk)
    assert ended.code == code, ended.log
    errors = [line for line in ended.commands("error") if any(word in line for word in message.split("|"))]
    assert bool(errors) == bool(code)


def test_a_release_without_any(desk: Desk) -> None:
    ended = desk.step("run_e2e", environment="staging", source=".")
    (error,) = ended.commands("error")
    assert (ended.code, "the release has no browser tests" in error) == (4, True)


def test_hostile_output_of_a_test_is_no_command(desk: Desk) -> None:
    folder = desk.shop.checkout / "e2e"
    folder.mkdir()
    (folder / "test_it.py").write_text(
        "def test_x():\n    print('::error::gotcha')\n    print('::set-output name=a::b')\n    assert 0"
    )
    ended = run_e2e(desk)
    assert not [line for line in ended.log.splitlines() if line.startswith(("::error::gotcha", "::set-output"))]
