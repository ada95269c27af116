"""What a watch has measured: for machines (JSON), and for people (a table and a plot in Markdown)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.checks.report import cell
from pipelines.checks.sequential import Comparison, Decision, Side, Verdict, quantile_bounds

LOOKS = 240
"""Looks that are kept: when there are more, every second one goes."""
_ROWS = 12
_WIDTH = 41


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was known at one moment. Shares are between -1 and 1."""

    seconds: float
    """Since the watch began, as the manifest counts them."""
    pairs: int
    candidate_failed: int
    live_failed: int
    lower: float
    upper: float
    """Bounds of the candidate's share of failures less live's."""
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Times:
    """Quantiles of the answers that did not fail, in milliseconds, each with its bounds; None where there are too few answers."""

    p50: float | None
    p50_bounds: tuple[float | None, float | None]
    p90: float | None
    p90_bounds: tuple[float | None, float | None]


@dataclass(kw_only=True)
class Record:
    """One watch. It grows while the watch goes on, and is whole when that has ended, also by an error."""

    title: str
    worse_by: float
    """Share of requests: the difference the watch looked for."""
    alone: bool = False
    """Nothing was live: the candidate was judged by itself."""
    decision: Decision = "undecided"
    says: str = "nothing was measured"
    seconds: float = 0.0
    pairs: int = 0
    skipped: int = 0
    """Pairs that say nothing: an answer was refused by a rate limit, or neither side gave any."""
    candidate_failed: int = 0
    live_failed: int = 0
    lower: float = -1.0
    upper: float = 1.0
    candidate_times: Times | None = None
    live_times: Times | None = None
    journeys: dict[str, dict[str, int]] = field(default_factory=dict)
    """Name -> pairs, candidate_failed, live_failed."""
    problems: dict[str, int] = field(default_factory=dict)
    """What was wrong with the candidate's answers, and how often."""
    looks: list[Look] = field(default_factory=list)

    def look(self, comparison: Comparison, seconds: float) -> Verdict:
        """Keep what is known now."""
        verdict = comparison.verdict()
        self.decision, self.says, self.seconds = verdict.decision, verdict.says, seconds
        self.pairs, self.skipped = verdict.pairs, verdict.skipped
        self.candidate_failed, self.live_failed = comparison.candidate.failed, comparison.live.failed
        self.lower, self.upper = verdict.lower, verdict.upper
        if not self.looks or self.looks[-1].pairs != verdict.pairs:
            self.looks.append(
                Look(
                    seconds=round(seconds, 3),
                    pairs=verdict.pairs,
                    candidate_failed=self.candidate_failed,
                    live_failed=self.live_failed,
                    lower=verdict.lower,
                    upper=verdict.upper,
                    decision=verdict.decision,
                )
            )
        if len(self.looks) > LOOKS:
            del self.looks[1:-1:2]
        return verdict

    def close(self, comparison: Comparison) -> None:
        """Add what is worked out once, at the end."""
        alpha = comparison.settings.missed
        self.candidate_times = _times(comparison.candidate, alpha)
        self.live_times = None if self.alone else _times(comparison.live, alpha)
        self.journeys = {
            name: {
                "pairs": tally.pairs,
                "candidate_failed": tally.candidate + tally.both,
                "live_failed": tally.live + tally.both,
            }
            for name, tally in comparison.journeys.items()
        }

    def as_json(self) -> dict[str, Any]:
        """The fields by their names; shares between -1 and 1, times in milliseconds, bounds that are not known yet null."""
        return asdict(self)

    def as_markdown(self) -> str:
        """For a summary page. Text from outside cannot break out of its cell."""
        mark = {"not worse": "✅", "worse": "❌", "undecided": "⏳"}[self.decision]
        return "\n".join(
            [
                f"**{cell(self.title)}**: {mark} {cell(self.says)}",
                "",
                *self._table(),
                "",
                *_journeys(self.journeys),
                *([f"Candidate's failures: {_list(self.problems)}", ""] if self.problems else []),
                *self._plot(),
            ]
        )

    def _table(self) -> list[str]:
        sides = [("candidate", self.candidate_failed, self.candidate_times)]
        if not self.alone:
            sides.append(("live", self.live_failed, self.live_times))
        rows = [
            f"| {name} | {self.pairs:,} | {failed:,} | {_rate(failed, self.pairs)} | {_time(times, 'p50')} | {_time(times, 'p90')} |"
            for name, failed, times in sides
        ]
        return ["| | visits | failed | | half within | nine in ten within |", "|---|--:|--:|--:|--:|--:|", *rows]

    def _plot(self) -> list[str]:
        """The bounds of the difference at some of the looks, as lines of text: what every page shows the same."""
        if not self.looks:
            return []
        step = max(1, -(-len(self.looks) // _ROWS))
        shown = [*self.looks[:-1:step], self.looks[-1]]
        edge = max(
            self.worse_by, *(min(abs(x), 1.0) for look in shown[len(shown) // 2 :] for x in (look.lower, look.upper))
        )
        head = (
            f"{'pairs':>7}  {-edge * 100:+.1f} %".ljust(9 + _WIDTH // 2)
            + "0"
            + f"{edge * 100:+.1f} %".rjust(_WIDTH // 2)
        )
        lines = [f"{look.pairs:>7}  {_bar(look.lower, look.upper, edge)}" for look in shown]
        return [
            "Share of failures, candidate less live, as it was bounded at each look:",
            "",
            "```text",
            head,
            *lines,
            "```",
        ]


def _times(side: Side, alpha: float) -> Times:
    (p50, p50_bounds), (p90, p90_bounds) = (_quantile(side, share, alpha) for share in (0.5, 0.9))
    return Times(p50=p50, p50_bounds=p50_bounds, p90=p90, p90_bounds=p90_bounds)


def _quantile(side: Side, share: float, alpha: float) -> tuple[float | None, tuple[float | None, float | None]]:
    low, high = quantile_bounds(side.answered, share, alpha)
    return side.quantile(share), (low or None, high if high < float("inf") else None)


def _bar(lower: float, upper: float, edge: float) -> str:
    """`·····[--|--]····`: an interval on a scale from -edge to edge, an arrow where it goes on beyond."""
    half = _WIDTH // 2
    low, high = (max(-half, min(half, round(bound / edge * half))) + half for bound in (lower, upper))
    cells = ["-" if low <= place <= high else "·" for place in range(_WIDTH)]
    cells[half] = "|"
    cells[low] = "<" if lower < -edge else "["
    cells[high] = ">" if upper > edge else "]"
    return "".join(cells)


def _journeys(journeys: Mapping[str, Mapping[str, int]]) -> list[str]:
    if len(journeys) < 2:
        return []
    rows = [
        f"| {cell(name)} | {counts['pairs']:,} | {counts['candidate_failed']:,} | {counts['live_failed']:,} |"
        for name, counts in journeys.items()
    ]
    return ["| journey | pairs | candidate failed | live failed |", "|---|--:|--:|--:|", *rows, ""]


def _list(problems: Mapping[str, int]) -> str:
    return ", ".join(f"{cell(text)} ({count:,} times)" for text, count in problems.items())


def _rate(failed: int, pairs: int) -> str:
    return f"{failed / pairs * 100:.1f} %" if pairs else "–"


def _time(times: Times | None, name: str) -> str:
    value = getattr(times, name) if times else None
    if value is None:
        return "–"
    low, high = getattr(times, f"{name}_bounds")
    bounds = f"{low:,.0f} to {high:,.0f}" if low is not None and high is not None else "bounds not known yet"
    return f"{value:,.0f} ms ({bounds})"
