"""What CI came to, for the people of a pull request: the same text as a comment and as the summary of the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.ci.needs import FAILED, PASSED, SKIPPED, Needs
from pipelines.ci.tables import code, duration, table
from pipelines.runtime import fenced

SIGNS = {PASSED: "✅", FAILED: "❌", SKIPPED: "➖"}
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
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names of jobs."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Addresses of jobs."""


def markdown(needs: Needs, run: Run) -> str:
    """The report, without the marker of the comment."""
    checks = list(needs.decided) or [name for name in needs.results if name in needs.said]
    parts = [_headline(needs, checks), _about(run)]
    if checks:
        parts.append(table(("check", "", "time", ""), [_row(check, needs, run) for check in checks]))
    parts += [_failure(check, needs.said[check]) for check in checks if _has_story(check, needs)]
    text = "\n\n".join(parts)
    return text if len(text) <= LARGEST else f"{text[:LARGEST]}\n\nThe rest is in [the run]({run.url})."


def _headline(needs: Needs, checks: list[str]) -> str:
    if not needs.decided:
        return "### ❌ CI could not plan what to check"
    outcomes = [needs.outcome(check) for check in checks]
    ran = [outcome for outcome in outcomes if outcome != SKIPPED]
    bad = [outcome for outcome in ran if outcome != PASSED]
    if bad:
        return f"### ❌ CI: {len(bad)} of {len(ran)} checks did not pass"
    skipped = f", {len(outcomes) - len(ran)} not affected" if len(ran) < len(outcomes) else ""
    return f"### ✅ CI: {len(ran)} checks passed{skipped}" if ran else "### ✅ CI: nothing to check"


def _about(run: Run) -> str:
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return f"Commit {code(run.commit[:7])} · [run {run.number}{again}]({run.url})"


def _row(check: str, needs: Needs, run: Run) -> tuple[str, str, str, str]:
    outcome, said = needs.outcome(check), needs.said.get(check, {})
    name = run.names.get(check, check)
    label = f"[{name}]({run.links[check]})" if check in run.links else name
    seconds = said.get("seconds")
    time = duration(float(seconds)) if isinstance(seconds, int | float) else ""
    return label, f"{SIGNS.get(outcome, OTHER_SIGN)} {outcome}", time, _note(check, outcome, needs)


def _note(check: str, outcome: str, needs: Needs) -> str:
    """The last cell: the tests that ran, or why nothing did."""
    tests = needs.said.get(check, {}).get("tests")
    if outcome in (PASSED, FAILED) and isinstance(tests, dict):
        counted = {name: int(tests.get(name, 0)) for name in ("ran", "failed", "skipped")}
        words = [f"{counted['ran'] - counted['failed']} passed"]
        words += [f"{counted[name]} {name}" for name in ("failed", "skipped") if counted[name]]
        return ", ".join(words)
    if outcome == FAILED and check not in needs.said:
        return "before the check began: its log says why"
    return code(needs.reasons.get(check, "")) if outcome == SKIPPED else ""


def _has_story(check: str, needs: Needs) -> bool:
    return needs.outcome(check) == FAILED and check in needs.said


def _failure(check: str, said: Mapping[str, Any]) -> str:
    """A failed check: why, the first places, the first lines, and the command that does the same here."""
    parts = [f"#### {check}", code(str(said.get("why") or "failed"))]
    findings = [finding for finding in said.get("findings") or [] if isinstance(finding, dict)]
    parts += [_finding(finding) for finding in findings[:MOST_FAILURES]]
    if said.get("more"):
        parts.append(f"… and {int(said['more'])} more, in the log and on the changed lines.")
    tail = [str(line) for line in said.get("tail") or []]
    if tail and not findings:
        parts.append(fenced("\n".join(tail)))
    parts.append(f"The same on your machine: `shipmate ci run {check}`")
    return "\n\n".join(parts)


def _finding(finding: Mapping[str, Any]) -> str:
    place = f"{finding.get('file')}:{finding.get('line')}" if finding.get("file") else ""
    head = " ".join(filter(None, [code(place), code(str(finding.get("title") or ""))]))
    first = "\n".join(str(finding.get("message") or "").strip().splitlines()[:8])
    return f"{head}\n\n{fenced(first)}"
