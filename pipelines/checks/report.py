"""What checks found, for people (text, Markdown) and for machines (JUnit XML, JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, kw_only=True)
class Result:
    """One check: passed, failed, or limited. `status` is None when no answer came; `ms` is the time until the whole answer was there."""

    name: str
    component: str
    url: str
    status: int | None
    ms: float
    problems: tuple[str, ...] = ()
    limited: bool = False
    """A rate limit refused to answer (429), also after waiting: that says nothing about what was to be checked."""
    retry_after: float = 0.0
    """Seconds it asked to wait."""
    names_release: bool = False
    """Its answer must name the release, and so says who answered."""
    late: float | None = None
    """Seconds after the first round of checks, for one that passed only when it was asked again."""

    @property
    def ok(self) -> bool:
        return not self.problems and not self.limited

    @property
    def failed(self) -> bool:
        return bool(self.problems)

    @property
    def says(self) -> str:
        """What is wrong, or why nothing is known, or that it passed late; empty for a check that passed at once."""
        if self.problems:
            return "; ".join(self.problems)
        if self.limited:
            return "refused by a rate limit (429)"
        return "" if self.late is None else f"passed after {self.late:.0f} s"


@dataclass(frozen=True, kw_only=True)
class Report:
    """All results, in the order of the manifest."""

    results: tuple[Result, ...]
    seconds: float
    """How long it took, or the last round of it."""
    rounds: int = 1
    """How often all of it was asked."""
    waited: float = 0.0
    """Seconds from the first round to the last, as the manifest counts them."""

    @classmethod
    def joined(cls, reports: Sequence[Report]) -> Report:
        """Several that were made at the same time, as one."""
        return cls(
            results=tuple(result for report in reports for result in report.results),
            seconds=max((report.seconds for report in reports), default=0.0),
        )

    @property
    def failed(self) -> bool:
        """True as well when nothing passed: no data is not success."""
        return not self.passed or any(result.failed for result in self.results)

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(result.ok for result in self.results)

    @property
    def limited(self) -> int:
        """How many a rate limit refused."""
        return sum(not result.ok and not result.failed for result in self.results)

    @property
    def latest(self) -> float:
        """Seconds after which the last one passed that did not pass at once."""
        return max((result.late or 0.0 for result in self.results), default=0.0)

    @property
    def slowest_ms(self) -> float:
        return max((result.ms for result in self.results), default=0.0)

    def failures(self) -> str:
        """What failed, in words; empty when nothing did."""
        if not self.results:
            return "there was nothing to check"
        bad = [result for result in self.results if result.failed]
        if not bad and not self.passed:
            return f"nothing was checked: a rate limit (429) refused all of {len(self.results)} checks"
        lines = [f"{result.name} ({result.url}): {result.says}" for result in bad]
        again = f" (asked {self.rounds} times in {self.waited:.0f} s)" if self.rounds > 1 else ""
        return f"{len(bad)} of {len(self.results)} checks failed: " + " | ".join(lines) + again if bad else ""

    def as_text(self) -> str:
        """For a terminal."""
        width = max((len(result.name) for result in self.results), default=0)
        lines = [_line(result, width) for result in self.results]
        bad = sum(result.failed for result in self.results)
        if bad:
            message = f"{bad} failed"
        elif not self.passed:
            message = "nothing was checked: that is a failure"
        else:
            message = f"{self.passed} passed" if self.limited else "all passed"
        limited = f", {self.limited} limited" if self.limited else ""
        return "\n".join([*lines, f"{len(self.results)} checks, {message}{limited}, in {self.seconds:.1f} s"])

    def as_markdown(self) -> str:
        """A table for a summary page. Text from outside cannot break out of its cell."""
        head = ["| | check | answer | time | |", "|---|---|--:|--:|---|"]
        rows = [
            f"| {'❌' if r.failed else '✅' if r.ok else '⏳'} | {cell(r.name)} | {r.status or '–'} | {r.ms:.0f} ms | {cell(r.says)} |"
            for r in self.results
        ]
        return "\n".join([*head, *rows]) if rows else "❌ Nothing was checked: that is a failure."

    def as_junit(self, suite: str = "smoke") -> str:
        """JUnit XML, which CI systems turn into annotations."""
        bad = sum(result.failed for result in self.results)
        cases = "".join(_case(result) for result in self.results)
        nothing = ""
        if not bad and not self.passed:
            bad, nothing = 1, '<testcase name="anything"><failure message="nothing was checked"/></testcase>'
        tests = len(self.results) + bool(nothing)
        counts = f'tests="{tests}" failures="{bad}" skipped="{self.limited}" time="{self.seconds:.3f}"'
        return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuite name={quoteattr(suite)} {counts}>{cases}{nothing}</testsuite>\n'

    def as_json(self) -> dict[str, Any]:
        """`{"failed", "seconds", "rounds", "results": [{the fields of Result, "ok"}]}`."""
        results = [{**asdict(result), "ok": result.ok} for result in self.results]
        return {"failed": self.failed, "seconds": self.seconds, "rounds": self.rounds, "results": results}


def _line(result: Result, width: int) -> str:
    sign = "✗" if result.failed else "✓" if result.ok else "~"
    head = f"{sign} {result.name.ljust(width)}  {result.status or '–'}  {result.ms:6.0f} ms"
    below = result.problems or ((result.says,) if result.says else ())
    return "\n".join([head, *(f"    {problem}" for problem in below)])


def _case(result: Result) -> str:
    head = f'<testcase classname={quoteattr(result.component)} name={quoteattr(_xml(result.name))} time="{result.ms / 1000:.3f}"'
    if result.ok:
        return head + "/>"
    message = _xml(result.says)
    if not result.failed:
        return f"{head}><skipped message={quoteattr(message)}/></testcase>"
    return (
        f"{head}><failure message={quoteattr(message)}>{escape(_xml(f'{result.url}: {message}'))}</failure></testcase>"
    )


def _xml(text: str) -> str:
    """Without the characters XML 1.0 cannot hold."""
    return "".join(
        c if c in "\t\n" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c > "\uffff" else "\ufffd" for c in text
    )


def cell(text: str) -> str:
    """A text in a cell of a Markdown table: nothing in it is markup."""
    for sign, instead in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("|", "\\|"),
        ("`", "\\`"),
        ("@", "@\u200b"),
        ("[", "\\["),
        ("\n", " "),
        ("\r", " "),
    ):
        text = text.replace(sign, instead)
    return text
