"""A test that failed is tried again: one that then passes is flaky. It does not fail the run, and it is counted and named.

Only a few are tried again. Where more fail for good, what they look at is broken, and trying again only costs time.
"""

from __future__ import annotations

import pytest
from _pytest.runner import runtestprotocol

FLAKY = "flaky"
"""Property in the JUnit report: of a test that passed in the end, how an earlier attempt failed."""
_LOST = 3
"""So many tests may fail for good before none is tried again."""
attempt_key = pytest.StashKey[int]()
"""Of an item: which attempt runs, from 1."""


class Retries:
    """A plugin. `most`: how often a test is tried again."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lost = 0
        self._flaky: dict[str, list[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Attempts until one passes; the reports of the last one count."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        attempt, earlier = 1, list[tuple[str, object]]()
        while True:
            item.stash[attempt_key] = attempt
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            failed = [report for report in reports if report.failed]
            if not failed or attempt > self.most or self._lost >= _LOST:
                break
            earlier.append((FLAKY, f"attempt {attempt}, {failed[0].when}: {_first_line(failed[0])}"))
            attempt += 1
        if failed:
            self._lost += 1
        else:
            item.user_properties += earlier
        for report in reports:
            report.user_properties = list(item.user_properties)
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Where the reports of all workers come together."""
        earlier = [str(value) for name, value in report.user_properties if name == FLAKY]
        if report.when == "call" and report.passed and earlier:
            self._flaky[report.nodeid] = earlier

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Every flaky test by its name."""
        if self._flaky:
            terminalreporter.section(f"{len(self._flaky)} flaky", yellow=True)
        for nodeid, earlier in self._flaky.items():
            terminalreporter.write_line(f"FLAKY {nodeid}: {'; '.join(earlier)}")


def _first_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")
