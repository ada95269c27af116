"""Run e2e/ against an environment, with this interpreter, and read what became of it from its JUnit file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.delivery.assembly import head_commit
from pipelines.errors import CheckFailed, LocalError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pipelines.delivery.context import Delivery

LIMIT_SECONDS = 900


def run(delivery: Delivery, *, release: str, artifacts: Path) -> str:
    """One line about what passed. Raises CheckFailed when a test failed, or when none ran."""
    targets = delivery.settings.targets
    artifacts.mkdir(parents=True, exist_ok=True)
    junit = artifacts / "junit.xml"
    junit.unlink(missing_ok=True)
    environ = {
        **delivery.runtime.environ,
        "E2E_WEB_URL": targets["web"].url,
        "E2E_API_URL": targets["backend"].url,
        "E2E_EXPECT_RELEASE": release or f"sha-{head_commit(delivery.manifest.root)[:7]}",
        "E2E_ARTIFACTS": str(artifacts),
    }
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={junit}", "e2e"]
    try:
        ran = subprocess.run(
            argv,
            cwd=delivery.manifest.root,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise CheckFailed(
            f"the browser tests did not end within {LIMIT_SECONDS} s",
            where="e2e",
            next_step="see the traces in the artifacts",
        ) from error
    delivery.runtime.say(ran.stdout + ran.stderr)
    return _judge(delivery, junit, ran.returncode)


def _require_browser(suite: Element) -> None:
    """Raises LocalError when no test could begin because no browser could."""
    sign = "BrowserType.launch: "
    errors = [case.find("error") for case in suite.iter("testcase")]
    said = [error.get("message", "") for error in errors if error is not None]
    if errors and len(said) == len(errors) and all(sign in text for text in said):
        raise LocalError(
            f"there is no browser to test with: {said[0].partition(sign)[2].splitlines()[0]}",
            where="e2e",
            next_step="run `make setup`, which finds or fetches one, or name one in SHIPMATE_BROWSER; then run this again",
        )


def _judge(delivery: Delivery, junit: Path, code: int) -> str:
    """Nothing measured is no success."""
    from xml.etree import ElementTree

    if not junit.is_file():
        raise CheckFailed(
            "the browser tests did not run",
            where="e2e",
            why=f"pytest exited with {code} before its first test",
            next_step="see the log above",
        )
    suite = next(ElementTree.parse(junit).getroot().iter("testsuite"))  # noqa: S314 - written by our own pytest a moment ago
    _require_browser(suite)
    tests, bad = int(suite.get("tests", 0)), int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    failed = [
        f"{case.get('classname')}::{case.get('name')}"
        for case in suite.iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]
    for name in failed:
        delivery.runtime.annotate("error", f"{name} failed against {delivery.environment}", title="Browser test")
    if code != 0 or bad or tests == 0:
        raise CheckFailed(
            f"{bad} of {tests} browser tests failed: {', '.join(failed)}" if tests else "no browser test ran",
            where=delivery.environment,
            next_step="screenshots and traces are in the artifacts folder of the job",
        )
    return f"{tests} passed in {float(suite.get('time', 0)):.1f} s"
