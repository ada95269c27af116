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
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.errors import CheckFailed, InputError, LocalError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pipelines.manifest.model import BrowserTests
    from pipelines.runtime import Runtime

LIMIT_SECONDS = 900


class BrowserTestsFailed(CheckFailed):
    """Tests ran, and what they looked at is not as it should be: not that they could not run, which says nothing of it."""


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
) -> str:
    """One line about what passed. `urls`: component -> public address. Raises CheckFailed when a test failed, or when none ran.

    `read_only`: those tests alone that change nothing. `routed`: what `routes` says, where candidates are tested.
    """
    artifacts.mkdir(parents=True, exist_ok=True)
    junit = root / tests.report
    junit.unlink(missing_ok=True)
    environ = {**os.environ, **variables(tests, urls, release, artifacts.resolve()), **(routed or {})}
    code = 0
    for line in tests.read_only if read_only else tests.run:
        code = _ran(line, root, environ, runtime) or code
    return _judge(junit, code)


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


def _require_browser(report: Element) -> None:
    """Raises LocalError when no test could begin because no browser could."""
    sign = "BrowserType.launch: "
    errors = [case.find("error") for case in report.iter("testcase")]
    said = [error.get("message", "") for error in errors if error is not None]
    if errors and len(said) == len(errors) and all(sign in text for text in said):
        raise LocalError(
            f"there is no browser to test with: {said[0].partition(sign)[2].splitlines()[0]}",
            where="browser tests",
            next_step="run `make setup`, which finds or fetches one, or name one in SHIPMATE_BROWSER; then run this again",
        )


def _read(junit: Path) -> Element | None:
    """What a report says; nothing for one that is not there, or was not written to its end."""
    from xml.etree import ElementTree

    try:
        found = ElementTree.parse(junit).getroot()  # noqa: S314 - no secret is near
    except (OSError, ElementTree.ParseError):
        return None
    return found if found.tag in ("testsuite", "testsuites") else None


def _judge(junit: Path, code: int) -> str:
    """Nothing measured is no success. Cases are counted, whatever suites they stand in."""
    report = _read(junit)
    if report is None:
        raise CheckFailed(
            "the browser tests did not run",
            where=str(junit),
            why=f"the command exited with {code} before its first test",
            next_step="see the log above",
        )
    _require_browser(report)
    cases = list(report.iter("testcase"))
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    ran = sum(case.find("skipped") is None for case in cases)
    if not cases:
        raise CheckFailed(
            "no browser test ran",
            where="browser tests",
            why=f"the command exited with {code} and found none",
            next_step="see the log above",
        )
    if bad or code != 0:
        names = ", ".join(case.get("name", "?") for case in bad) or f"exit code {code}"
        raise (BrowserTestsFailed if bad else CheckFailed)(
            f"{len(bad)} of {len(cases)} browser tests failed: {names}",
            where="browser tests",
            next_step="see their output above, and the screenshots and traces in the artifacts of this run",
        )
    if ran < 1:
        raise CheckFailed(
            "no browser test ran", where="browser tests", why="all were skipped", next_step="see the log above"
        )
    return f"{ran} browser test{'' if ran == 1 else 's'} passed"
