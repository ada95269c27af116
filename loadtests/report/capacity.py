"""The report of a capacity search: the rate, between what it lies, what breaks first, and every step."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from loadtests.capacity import Capacity, Step
from loadtests.report import plots, words
from loadtests.report.writing import Written, plain, template
from loadtests.verdicts import Answer, milliseconds

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What was searched."""

    environment: str
    release: str
    seed: int
    start: float
    """Seconds since 1970."""


def step_folder(number: int) -> str:
    """Where the report of a step is, beside that of the search. Numbers count from 1."""
    return f"step-{number:02}"


def write_capacity(capacity: Capacity, heading: Heading, folder: Path) -> Written:
    """Write `capacity-report.html`, `capacity-report.json` and `capacity-summary.md` into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(
        html=folder / "capacity-report.html",
        json=folder / "capacity-report.json",
        markdown=folder / "capacity-summary.md",
    )
    written.html.write_text(_html(capacity, heading), encoding="utf-8", errors="replace")
    written.json.write_text(_json(capacity, heading), encoding="utf-8")
    written.markdown.write_text("\n".join(_markdown(capacity, heading)) + "\n", encoding="utf-8", errors="replace")
    return written


def headline(capacity: Capacity) -> str:
    """The answer as one sentence."""
    low, high = capacity.low, capacity.high
    if capacity.ended == "found" and low is not None and high is not None:
        return f"{low:g} visits a second meet every target, {high:g} do not"
    if capacity.ended == "most reached" and low is not None:
        return f"At least {low:g} visits a second meet every target: no more may be asked"
    if capacity.ended == "never met" and high is not None:
        return f"Not even {high:g} visits a second meet every target"
    values = {
        "generator": "The generator, not the platform, is at its limit",
        "no data": "A target was not measured",
        "time is over": "The time was over before there was an answer",
        "did not recover": "The platform did not recover from a step",
        "interrupted": "The search was interrupted",
    }[capacity.ended]
    return f"{values}; {_bracket(low, high)}"


def _bracket(low: float | None, high: float | None) -> str:
    met = "no rate met every target yet" if low is None else f"{low:g} visits a second met every target"
    return met if high is None else f"{met}, {high:g} did not"


def reasons(capacity: Capacity) -> Iterator[str]:
    """What broke first and where, and what makes the answer less sure, a line each."""
    if capacity.why:
        yield capacity.why
    step = capacity.broke
    if step is not None:
        for answer in _open(step):
            where = (step.where or {}).get(answer.target, "")
            yield f"breaks first, at {step.rate:g} visits/s: {answer.target}: {answer.says}{f'; slowest: {where}' if where else ''}"
    if capacity.answered and not capacity.sure:
        yield "an edge is a best estimate: steps there were too short to tell"
    for each in capacity.contradictions:
        yield f"not always the same: {each}"


def _open(step: Step) -> list[Answer]:
    """What broke, and where that is not sure, what is likeliest to have."""
    missed = [answer for answer in step.answers if answer.verdict == "missed"]
    above = [answer for answer in step.answers if (answer.estimate.value or 0.0) > answer.limit_ms]
    return missed or above or [answer for answer in step.answers if answer.verdict != "passed"]


def _symbol(capacity: Capacity) -> str:
    return "✓" if capacity.answered else "✗" if capacity.ended == "never met" else "?"


def _json(capacity: Capacity, heading: Heading) -> str:
    broke = capacity.broke
    message = {
        "version": VERSION,
        **asdict(heading),
        "ended": capacity.ended,
        "says": headline(capacity),
        "visits_per_second": capacity.low,
        "not_met_per_second": capacity.high,
        "sure": capacity.answered and capacity.sure,
        "broke": None
        if broke is None
        else {
            "visits_per_second": broke.rate,
            "targets": [
                {"target": each.target, "says": each.says, "slowest": (broke.where or {}).get(each.target, "")}
                for each in _open(broke)
            ],
        },
        "contradictions": list(capacity.contradictions),
        "bounds": asdict(capacity.bounds),
        "steps": [asdict(step) for step in capacity.steps],
    }
    return json.dumps(plain(message), allow_nan=False, indent=1, ensure_ascii=False) + "\n"


def _markdown(capacity: Capacity, heading: Heading) -> Iterator[str]:
    yield f"### {_symbol(capacity)} {words.cell(headline(capacity))}"
    yield ""
    yield f"Capacity of {words.code(heading.release or 'an unnamed release')} on {words.code(heading.environment)}"
    yield ""
    yield "| step | visits/s | seconds | | says |"
    yield "|--:|--:|--:|---|---|"
    for number, step in enumerate(capacity.steps, 1):
        yield (
            f"| {number} | {step.rate:g} | {step.seconds:g} | {words.SYMBOLS[step.verdict]} {step.verdict} "
            f"| {words.cell(step.says)} |"
        )
    yield ""
    yield from (f"- {words.cell(reason[:1].upper() + reason[1:])}" for reason in reasons(capacity))


def _html(capacity: Capacity, heading: Heading) -> str:
    return template("capacity.html.j2").render(
        capacity=capacity,
        heading=heading,
        headline=headline(capacity),
        reasons=list(reasons(capacity)),
        symbol=_symbol(capacity),
        kind="passed" if capacity.answered else "missed" if capacity.ended == "never met" else "invalid",
        words=words,
        plot=plots.by_rate(_points(capacity)),
        folder=step_folder,
        shown=[answer.target for answer in next((step.answers for step in capacity.steps if step.answers), ())],
    )


def _points(capacity: Capacity) -> dict[str, plots.ByRate]:
    """Target -> its limit, and what was measured at each rate."""
    found: dict[str, plots.ByRate] = {}
    for step in capacity.steps:
        for answer in step.answers if step.verdict != "invalid" else ():
            line = found.setdefault(answer.target, plots.ByRate(limit=answer.limit_ms))
            value, known = answer.estimate.value, not answer.estimate.why
            if value is not None:
                low, high = (answer.estimate.low, answer.estimate.high) if known else (value, value)
                title = f"{answer.target} at {step.rate:g} visits/s: p95 {milliseconds(value)}, {answer.verdict}"
                high = high if math.isfinite(high) else value
                line.points.append(plots.RatePoint(rate=step.rate, value=value, low=low, high=high, title=title))
    return found
