"""What CI came to, for the people of a pull request: the same text as a comment and as the summary of the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.ci.needs import FAILED, LEFT_OUT, PASSED, SKIPPED, Decision, Leg, Needs
from pipelines.ci.tables import cell, code, duration, table
from pipelines.runtime import fenced

SIGNS = {PASSED: "✅", FAILED: "❌", SKIPPED: "➖", LEFT_OUT: "➖"}
OTHER_SIGN = "⚠️"
MOST_FAILURES = 10
LARGEST = 60_000
"""Characters; GitHub refuses a comment of more than 65,536."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The run that reports."""

    number: int
    attempt: int
    commit: str
    url: str
    workflow: str = "ci.yml"
    links: Mapping[str, str] = field(default_factory=dict)
    """Title of a job -> its address."""


def markdown(needs: Needs, run: Run) -> str:
    """The report, without the marker of the comment."""
    parts = [_headline(needs), _about(run)]
    if needs.decided:
        rows = [row for one in needs.decided for row in _rows(one, needs, run)]
        parts.append(table(("check", "", "time", ""), rows))
    failed = [leg for leg in needs.legs if needs.outcome(leg) == FAILED and leg.name in needs.results]
    parts += [_failure(leg, needs.results[leg.name]) for leg in failed]
    text = "\n\n".join(parts)
    return text if len(text) <= LARGEST else f"{text[:LARGEST]}\n\nThe rest is in [the run]({run.url})."


def _headline(needs: Needs) -> str:
    if not needs.decided:
        return "### ❌ CI could not plan what to check"
    bad = [leg for leg in needs.legs if needs.outcome(leg) != PASSED]
    if bad:
        return f"### ❌ CI: {len(bad)} of {len(needs.legs)} checks did not pass"
    skipped = len([one for one in needs.decided if not one.runs and not one.left_out])
    left_out = len([one for one in needs.decided if one.left_out])
    message = f", {skipped} not affected" if skipped else ""
    message += f", {left_out} not run in a rehearsal" if left_out else ""
    return f"### ✅ CI: {len(needs.legs)} checks passed{message}" if needs.legs else "### ✅ CI: nothing to check"


def _about(run: Run) -> str:
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return f"Commit {code(run.commit[:7])} · [run {run.number}{again}]({run.url})"


def _rows(decided: Decision, needs: Needs, run: Run) -> list[tuple[str, str, str, str]]:
    """A row for each job of a check; one for a check that was skipped."""
    if not decided.runs:
        return [(cell(decided.title), f"{SIGNS[decided.skipped]} {decided.skipped}", "", code(decided.why))]
    return [_row(leg, needs, run) for leg in needs.legs if leg.check == decided.check]


def _row(leg: Leg, needs: Needs, run: Run) -> tuple[str, str, str, str]:
    outcome, message = needs.outcome(leg), needs.results.get(leg.name, {})
    label = f"[{cell(leg.title)}]({run.links[leg.title]})" if leg.title in run.links else cell(leg.title)
    seconds = message.get("seconds")
    time = duration(float(seconds)) if isinstance(seconds, int | float) else ""
    return label, f"{SIGNS.get(outcome, OTHER_SIGN)} {outcome}", time, _note(outcome, message)


def _note(outcome: str, entry: Mapping[str, Any]) -> str:
    """The last cell: the tests that ran, or why nothing is known of them."""
    tests = entry.get("tests")
    if outcome in (PASSED, FAILED) and isinstance(tests, dict):
        counted = {name: _number(tests.get(name)) for name in ("ran", "failed", "skipped")}
        words = [f"{counted['ran'] - counted['failed']} passed"]
        words += [f"{counted[name]} {name}" for name in ("failed", "skipped") if counted[name]]
        return ", ".join(words)
    return "before the check began: its log says why" if outcome == FAILED and not entry else ""


def _number(value: Any) -> int:
    """A count in a result; zero for what is none."""
    return value if isinstance(value, int) else 0


def _listed(entry: Mapping[str, Any], key: str) -> list[Any]:
    value = entry.get(key)
    return value if isinstance(value, list) else []


def _failure(leg: Leg, entry: Mapping[str, Any]) -> str:
    """A failed check: why, the first places, the first lines, and the command that does the same here."""
    parts = [f"#### {cell(leg.title)}", code(str(entry.get("why") or "failed"))]
    findings = [finding for finding in _listed(entry, "findings") if isinstance(finding, dict)]
    parts += [_finding(finding) for finding in findings[:MOST_FAILURES]]
    if more := _number(entry.get("more")):
        parts.append(f"… and {more} more, in the log and on the changed lines.")
    tail = [str(line) for line in _listed(entry, "tail")]
    if tail and not findings:
        parts.append(fenced("\n".join(tail)))
    parts.append(f"The same on your machine: `shipmate ci run {leg.check}`")
    return "\n\n".join(parts)


def _finding(finding: Mapping[str, Any]) -> str:
    place = f"{finding.get('file')}:{finding.get('line')}" if finding.get("file") else ""
    head = " ".join(filter(None, [code(place), code(str(finding.get("title") or ""))]))
    first = "\n".join(str(finding.get("message") or "").strip().splitlines()[:8])
    return f"{head}\n\n{fenced(first)}"
