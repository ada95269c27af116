"""What became of browser tests, read from the JUnit file that they wrote, and how it is reported.

Beside what every runner writes, three properties of a test are read: `flaky` (how an attempt failed before one passed), `artifact`
(a file that is kept of it) and whatever its failure says. A runner that writes none of them is understood all the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.ci import tables

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pipelines.manifest.model import Quarantine

_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Case:
    """One test. `failure`: its first message, None when it passed; `flaky`: the messages of its earlier attempts."""

    name: str
    failure: str | None = None
    skipped: bool = False
    no_browser: str = ""
    """Why no browser could be started for it."""
    flaky: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    quarantine: Quarantine | None = None

    def is_excused(self, today: date) -> bool:
        """Whether it failed and may."""
        until = self.quarantine.until if self.quarantine else ""
        return self.failure is not None and until >= today.isoformat()


@dataclass(frozen=True, kw_only=True)
class Report:
    """All tests of one run, judged on one day."""

    cases: tuple[Case, ...]
    quarantine: tuple[Quarantine, ...] = ()
    today: date

    @property
    def failed(self) -> list[Case]:
        """Those that count."""
        return [case for case in self.cases if case.failure is not None and not case.is_excused(self.today)]

    @property
    def excused(self) -> list[Case]:
        """Those that failed in quarantine."""
        return [case for case in self.cases if case.is_excused(self.today)]

    @property
    def passed(self) -> list[Case]:
        """Flaky ones, too."""
        return [case for case in self.cases if case.failure is None and not case.skipped]

    @property
    def flaky(self) -> list[Case]:
        """Those that passed only when they were tried again."""
        return [case for case in self.passed if case.flaky]

    @property
    def expired(self) -> list[Quarantine]:
        """Quarantines that are over."""
        return [one for one in self.quarantine if one.until < self.today.isoformat()]

    @property
    def line(self) -> str:
        """`18 browser tests passed, 1 of them flaky: test_search`"""
        passed = f"{len(self.passed)} browser test{'' if len(self.passed) == 1 else 's'} passed"
        flaky = f", {len(self.flaky)} of them flaky: {_names(self.flaky)}" if self.flaky else ""
        excused = f"; {len(self.excused)} failed in quarantine: {_names(self.excused)}" if self.excused else ""
        return passed + flaky + excused

    def markdown(self, run_url: str = "") -> str:
        """For a summary: every test that did not simply pass, and the files that are kept of it. `run_url`: where its artifacts are."""
        rows = [
            *self._rows("failed", self.failed),
            *self._rows("flaky", self.flaky),
            *self._rows("failed in quarantine", self.excused),
        ]
        parts = [self.line]
        if rows:
            parts.append(tables.table(("test", "", "what it reported", "files"), rows))
            where = f"[artifacts of this run]({run_url}#artifacts)" if run_url else "artifacts of this run"
            parts.append(
                f"Files are in the {where}; `python -m playwright show-trace NAME.trace.zip` opens a trace, and the JSON "
                "has every request with the id that the server gave it."
            )
        names = {_plain(case.name) for case in self.cases}
        parts += [
            f"- in quarantine until {tables.cell(one.until)}: {tables.code(one.test)}, {tables.code(one.owner)}: "
            f"{tables.code(one.reason)}{'' if one.test in names else ' (no test of that name ran)'}"
            for one in self.quarantine
        ]
        return "\n\n".join(parts)

    def _rows(self, what: str, cases: Iterable[Case]) -> list[Sequence[str]]:
        return [
            (
                tables.code(case.name),
                what,
                tables.code((case.failure or "; ".join(case.flaky))[:_LONGEST]),
                " ".join(map(tables.code, case.artifacts)),
            )
            for case in cases
        ]


def read(junit: Path, quarantine: tuple[Quarantine, ...], today: date) -> Report | None:
    """None for a report that is not there, or was not written to its end."""
    from xml.etree import ElementTree

    try:
        found = ElementTree.parse(junit).getroot()  # noqa: S314 - no secret is near
    except (OSError, ElementTree.ParseError):
        return None
    if found.tag not in ("testsuite", "testsuites"):
        return None
    known = {one.test: one for one in quarantine}
    cases = [_case(element) for element in found.iter("testcase")]
    placed = [
        dataclasses.replace(case, quarantine=known.get(case.name) or known.get(_plain(case.name))) for case in cases
    ]
    return Report(cases=tuple(placed), quarantine=quarantine, today=today)


_LAUNCH = "BrowserType.launch: "


def _case(element: Element) -> Case:
    bad = [found for kind in ("failure", "error") if (found := element.find(kind)) is not None]
    message = (bad[0].get("message") or bad[0].text or "no message") if bad else None
    error = element.find("error")
    launch = error.get("message", "").partition(_LAUNCH)[2] if error is not None else ""
    values = [(one.get("name"), one.get("value") or "") for one in element.iter("property")]
    return Case(
        name=element.get("name", "?"),
        failure=message,
        skipped=element.find("skipped") is not None,
        no_browser=launch.splitlines()[0] if launch else "",
        flaky=tuple(value for name, value in values if name == "flaky"),
        artifacts=tuple(value for name, value in values if name == "artifact"),
    )


def _plain(name: str) -> str:
    """Without what it is parametrised with."""
    return name.partition("[")[0]


def _names(cases: Iterable[Case]) -> str:
    return ", ".join(case.name for case in cases)
