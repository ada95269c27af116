"""How numbers and verdicts are worded, the same in the page, the summary and the plots."""

from __future__ import annotations

import math

from loadtests.intervals import Estimate
from loadtests.verdicts import Judgement, milliseconds

SYMBOLS = {"passed": "✓", "missed": "✗", "too short to tell": "?", "no data": "∅", "invalid": "!"}
_HEADLINES = {
    "passed": "Every target is met",
    "no data": "Nothing was measured",
    "too short to tell": "The run is too short to tell",
    "invalid": "The run is invalid: it says nothing of the platform",
}


def headline(judgement: Judgement) -> str:
    """The verdict as one sentence."""
    if judgement.verdict == "missed":
        missed = [answer.target for answer in judgement.answers if answer.verdict == "missed"]
        return f"{'Target' if len(missed) == 1 else 'Targets'} missed: {', '.join(missed)}"
    return _HEADLINES[judgement.verdict]


def reasons(judgement: Judgement) -> tuple[str, ...]:
    """What is behind verdicts other than passed, a line each."""
    if judgement.invalid:
        return judgement.invalid
    return tuple(f"{answer.target}: {answer.says}" for answer in judgement.answers if answer.verdict != "passed")


def interval(estimate: Estimate) -> str:
    """126 – 139 ms; a dash where the run is too short for one."""
    if estimate.value is None or estimate.why:
        return "–"
    low, high = milliseconds(estimate.low), milliseconds(estimate.high)
    return f"{low} – {high}" if math.isinf(estimate.high) else f"{low.removesuffix(' ms')} – {high}"


def share(part: float, whole: float) -> str:
    """3.1 %; nothing of nothing is 0 %."""
    if not part:
        return "0 %"
    percent = 100 * part / whole
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.0f} %"


def times(ratio: float) -> str:
    """30 % slower, 4 % faster, the same."""
    percent = abs(ratio - 1) * 100
    if percent < 0.5:
        return "the same"
    return f"{percent:.0f} % {'slower' if ratio >= 1 else 'faster'}"


def duration(seconds: float) -> str:
    """45 s, 2 min, 2 min 5 s, 1 h 30 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    big, small, units = (
        (whole // 60, whole % 60, ("min", "s"))
        if whole < 3600
        else (
            whole // 3600,
            whole % 3600 // 60,
            ("h", "min"),
        )
    )
    return f"{big} {units[0]} {small} {units[1]}" if small else f"{big} {units[0]}"


def cell(text: str) -> str:
    """For Markdown: nothing from outside makes markup, ends a cell or a line."""
    for char in "\\`*_{}[]<>|#":
        text = text.replace(char, f"\\{char}")
    return " ".join(text.split())


def code(text: str) -> str:
    """For Markdown: as code."""
    return f"`{' '.join(text.replace('`', ' ').split())}`"
