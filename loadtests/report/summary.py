"""The summary of a load test in Markdown, as it is shown beneath a run of the workflow."""

from __future__ import annotations

from collections.abc import Iterator

from loadtests.recording import Recording
from loadtests.report import words
from loadtests.verdicts import Judgement, milliseconds


def markdown(judgement: Judgement, recording: Recording) -> str:
    """Verdict first, then the targets, then what else a reader must know."""
    return "\n".join(_lines(judgement, recording)) + "\n"


def _lines(judgement: Judgement, recording: Recording) -> Iterator[str]:
    whole, symbol = recording.total(), words.SYMBOLS[judgement.verdict]
    yield f"### {symbol} {words.cell(words.headline(judgement))}"
    yield ""
    release, environment = words.code(recording.release or "an unnamed release"), words.code(recording.environment)
    yield (
        f"Load test {words.code(recording.profile)} of {release} on {environment}: "
        f"{whole.count:,} requests in {words.duration(recording.seconds)}, {words.share(whole.failed, whole.count)} failed."
    )
    yield ""
    if judgement.answers:
        yield "| | target | 95th percentile | 95 % interval | limit | samples |"
        yield "|---|---|--:|--:|--:|--:|"
        for answer in judgement.answers:
            found = answer.estimate
            yield (
                f"| {words.SYMBOLS[answer.verdict]} {answer.verdict} | {words.cell(answer.target)} | {milliseconds(found.value)} "
                f"| {words.interval(found)} | {milliseconds(answer.limit_ms)} | {found.samples:,} |"
            )
        yield ""
    yield from (f"- {words.cell(reason)}" for reason in words.reasons(judgement))
    for each in judgement.failing:
        shares = f"{words.share(each.before, 1)} → {words.share(each.now, 1)}"
        yield f"- More failed than in the last good run: {words.cell(each.endpoint)}, {shares}"
    for change in judgement.slower:
        yield (
            f"- Slower than the last good run: {words.cell(change.endpoint)}, {'database ' if change.metric == 'database' else ''}"
            f"p{change.share * 100:g} {milliseconds(change.before)} → {milliseconds(change.now)} ({words.times(change.ratio)})"
        )
    yield from (f"- {words.cell(note[:1].upper() + note[1:])}" for note in judgement.notes)
