"""Run the browser tests of a release against an environment, and read what became of them from their JUnit file.

They are code of the release: the job that runs them holds no secret, and what they find is a gate, not a proof.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.ci import browser_report, browser_shards
from pipelines.ci.browser_report import Report
from pipelines.errors import CheckFailed, InputError, LocalError

if TYPE_CHECKING:
    from pipelines.ci.browser_shards import Share
    from pipelines.manifest.model import BrowserTests
    from pipelines.runtime import Runtime

LIMIT_SECONDS = 900


class BrowserTestsFailed(CheckFailed):
    """Tests ran, and what they looked at is not as it should be: not that they could not run, which says nothing of it."""

    report: Report | None = None


def variables(tests: BrowserTests, urls: Mapping[str, str], release: str, artifacts: Path) -> dict[str, str]:
    """What the commands find in their environment, filled in. Raises InputError for a name that means nothing here."""
    facts = {"release": release, "artifacts": str(artifacts), **{f"url of {name}": url for name, url in urls.items()}}

    def fill(found: re.Match[str]) -> str:
        if found[1] not in facts:
            raise InputError(
                f"{{{found[1]}}} means nothing here",
                where="shipmate.yml, browser_tests/env",
                next_step=f"one of: {', '.join(f'{{{name}}}' for name in facts)}",
            )
        return facts[found[1]]

    return {name: re.sub(r"\{([^{}]+)\}", fill, value) for name, value in tests.env.items()}


def routes(
    urls: Mapping[str, str], candidates: Mapping[str, str], headers: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Where a page that is opened at its public address finds the candidates. Raises InputError when none is known.

    `urls`, `candidates`: component -> public address, own address. `headers`: component -> what its candidate asks for, sent to no
    other address.
    """
    found = {name: _origin(url) for name, url in candidates.items() if name in urls and url}
    if not found:
        raise InputError(
            "no candidate has an address of its own",
            where=", ".join(candidates) or "no component",
            why="the jobs that deploy kept none for the components of this environment",
            next_step="re-run all jobs",
        )
    return {
        "E2E_ROUTES": json.dumps({_origin(urls[name]): address for name, address in found.items()}),
        "E2E_ROUTE_HEADERS": json.dumps({found[name]: dict(sent) for name, sent in headers.items() if name in found}),
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def run(
    tests: BrowserTests,
    root: Path,
    urls: Mapping[str, str],
    *,
    release: str,
    artifacts: Path,
    runtime: Runtime,
    read_only: bool = False,
    routed: Mapping[str, str] | None = None,
    share: Share | None = None,
    today: date | None = None,
) -> Report:
    """What became of them. `urls`: component -> public address. Raises CheckFailed when a test failed, or when none ran.

    `read_only`: those tests alone that change nothing. `routed`: what `routes` says, where candidates are tested.
    `share`: the thorough tests, but only that part of them; it may have none, and must leave an account of what ran.
    `today` (UTC) decides which quarantines are over. A test that failed in quarantine, or passed when tried again, fails nothing.
    """
    artifacts.mkdir(parents=True, exist_ok=True)
    junit = root / tests.report
    junit.unlink(missing_ok=True)
    if share:
        browser_shards.account_beside(junit).unlink(missing_ok=True)
    asked = {**(routed or {}), **(share.variables() if share else {})}
    environ = {**os.environ, **variables(tests, urls, release, artifacts.resolve()), **asked}
    code = 0
    for line in _commands(tests, read_only=read_only, thorough=share is not None):
        code = _ran(line, root, environ, runtime) or code
    report = browser_report.read(junit, tests.quarantine, today or datetime.now(UTC).date())
    if report is None:
        raise CheckFailed(
            "the browser tests did not run",
            where=str(junit),
            why=f"the command exited with {code} before its first test",
            next_step="see the log above",
        )
    if share:
        share.keep(junit)
    _require_browser(report)
    if share:  # what the others found decides the rest
        return _require_passed(report, code)
    return judge(report, code=code, read_only=read_only)


def _commands(tests: BrowserTests, *, read_only: bool, thorough: bool) -> tuple[str, ...]:
    if read_only:
        return tests.read_only
    return (thorough and tests.thorough) or tests.run


def _ran(line: str, root: Path, environ: Mapping[str, str], runtime: Runtime) -> int:
    try:
        ran = subprocess.run(
            shlex.split(line),
            cwd=root,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise CheckFailed(
            f"`{line}` did not end within {LIMIT_SECONDS} s",
            where="browser tests",
            next_step="see the traces in the artifacts",
        ) from error
    except FileNotFoundError as error:
        raise LocalError(
            f"there is no {shlex.split(line)[0]!r} here",
            where="browser tests",
            next_step="install it, then run this again",
        ) from error
    runtime.say(ran.stdout + ran.stderr)
    return ran.returncode


def _require_browser(report: Report) -> None:
    """Raises LocalError when no test could begin because no browser could."""
    reasons = [case.no_browser for case in report.cases if case.failure is not None]
    if reasons and all(reasons):
        raise LocalError(
            f"there is no browser to test with: {reasons[0]}",
            where="browser tests",
            next_step="run `make setup`, which finds or fetches one, or name one in SHIPMATE_BROWSER; then run this again",
        )


def judge(report: Report, *, code: int = 0, read_only: bool = False) -> Report:
    """Of all tests of a run, which ended with `code`. Nothing measured is no success. Cases are counted, whatever suites they stand in.

    Raises CheckFailed.
    """
    if not report.cases:
        raise CheckFailed(
            "no browser test ran",
            where="browser tests",
            why=f"the command exited with {code} and found none",
            next_step="see the log above",
        )
    _require_passed(report, code)
    if not report.passed:
        why = "all that ran failed in quarantine" if report.excused else "all were skipped"
        raise CheckFailed("no browser test ran", where="browser tests", why=why, next_step="see the log above")
    if report.expired and not read_only:
        # In production a release would be held up by a date; there a test out of quarantine counts, and that is all.
        one = report.expired[0]
        raise CheckFailed(
            f"the quarantine of {one.test} ended on {one.until}",
            where="shipmate.yml, browser_tests/quarantine",
            why=f"{one.owner} was to fix it: {one.reason}",
            next_step="delete the entry on the default branch when the test is well, or agree on a later day with its owner; "
            "then run this again",
        )
    return report


def _require_passed(report: Report, code: int) -> Report:
    # Runners end with 1 or with the number of tests that failed: where those may fail, that says nothing more.
    explained = code == 0 or (report.excused and code in (1, len(report.excused)))
    if report.failed or not explained:
        raise _failed(report, code)
    return report


def _failed(report: Report, code: int) -> CheckFailed:
    names = ", ".join(case.name for case in report.failed) or f"exit code {code}"
    over = [one for one in report.expired if any(case.quarantine == one for case in report.failed)]
    error = (BrowserTestsFailed if report.failed else CheckFailed)(
        f"{len(report.failed)} of {len(report.cases)} browser tests failed: {names}",
        where="browser tests",
        why="; ".join(f"the quarantine of {one.test} ({one.owner}) ended on {one.until}" for one in over),
        next_step="see their output above, and the screenshots and traces in the artifacts of this run",
    )
    if isinstance(error, BrowserTestsFailed):
        error.report = report
    return error
