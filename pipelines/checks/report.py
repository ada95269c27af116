"""What checks found, for people (text, Markdown) and for machines (JUnit XML, JSON)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, kw_only=True)
class Result:
    """One check. `status` is None when no answer came; `ms` is the time until the whole answer was there."""

    name: str
    component: str
    url: str
    status: int | None
    ms: float
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(frozen=True, kw_only=True)
class Report:
    """All results, in the order of the manifest."""

    results: tuple[Result, ...]
    seconds: float

    @property
    def failed(self) -> bool:
        """True as well when there was nothing to check: no data is not success."""
        return not self.results or any(not result.ok for result in self.results)

    @property
    def slowest_ms(self) -> float:
        return max((result.ms for result in self.results), default=0.0)

    def failures(self) -> str:
        """What failed, in words; empty when nothing did."""
        if not self.results:
            return "there was nothing to check"
        bad = [result for result in self.results if not result.ok]
        lines = [f"{result.name} ({result.url}): {'; '.join(result.problems)}" for result in bad]
        return f"{len(bad)} of {len(self.results)} checks failed: " + " | ".join(lines) if bad else ""

    def as_text(self) -> str:
        """For a terminal."""
        width = max((len(result.name) for result in self.results), default=0)
        lines = [_line(result, width) for result in self.results]
        bad = sum(not result.ok for result in self.results)
        said = f"{bad} failed" if bad else "all passed" if self.results else "nothing was checked: that is a failure"
        return "\n".join([*lines, f"{len(self.results)} checks, {said}, in {self.seconds:.1f} s"])

    def as_markdown(self) -> str:
        """A table for a summary page. Text from outside cannot break out of its cell."""
        head = ["| | check | answer | time | |", "|---|---|--:|--:|---|"]
        rows = [
            f"| {'✅' if r.ok else '❌'} | {cell(r.name)} | {r.status or '–'} | {r.ms:.0f} ms | {cell('; '.join(r.problems))} |"
            for r in self.results
        ]
        return "\n".join([*head, *rows]) if rows else "❌ Nothing was checked: that is a failure."

    def as_junit(self, suite: str = "smoke") -> str:
        """JUnit XML, which CI systems turn into annotations."""
        bad = sum(not result.ok for result in self.results)
        cases = "".join(_case(result) for result in self.results)
        counts = f'tests="{len(self.results)}" failures="{bad}" time="{self.seconds:.3f}"'
        nothing = (
            "" if self.results else '<testcase name="anything"><failure message="nothing was checked"/></testcase>'
        )
        return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuite name={quoteattr(suite)} {counts}>{cases}{nothing}</testsuite>\n'

    def as_json(self) -> dict[str, Any]:
        """`{"failed", "seconds", "results": [{"name", "component", "url", "status", "ms", "problems", "ok"}]}`."""
        results = [{**asdict(result), "ok": result.ok} for result in self.results]
        return {"failed": self.failed, "seconds": self.seconds, "results": results}


def _line(result: Result, width: int) -> str:
    head = f"{'✓' if result.ok else '✗'} {result.name.ljust(width)}  {result.status or '–'}  {result.ms:6.0f} ms"
    return "\n".join([head, *(f"    {problem}" for problem in result.problems)])


def _case(result: Result) -> str:
    head = f'<testcase classname={quoteattr(result.component)} name={quoteattr(_xml(result.name))} time="{result.ms / 1000:.3f}"'
    if result.ok:
        return head + "/>"
    message = _xml("; ".join(result.problems))
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
