"""Rules that watch a release, on the same traffic: whom they stop wrongly, whom they miss, how many requests they need.

`python -m benchmarks.watch [--releases 200]`. Every rule sees the same pairs of answers, one of the candidate and
one of live, ten pairs a second; the rules of other tools are simulated here with the settings of their own documentation:

- ours: three steps (10, 50, 100 % of traffic) of 30 s at least, `worse_by` 2 %, patience 600 s.
- ours, 1 %: the same with `worse_by` 1 %.
- Flagger: every minute the candidate's success rate of that minute must be 99 % and its p99 at most 500 ms; a check that passes gives 10 %
  more traffic, five of them (50 %) promote it, five that fail roll it back.
- Argo Rollouts: every minute the success rate of that minute must be 95 %; more than three measurements that fail roll it back; ten
  minutes long.
- two errors: what this suite did before: 30 s in each of three steps one address is asked, which the candidate answers with its share of
  traffic; two errors roll it back, unless the one request before the step failed already.

The goals: of releases that are as good as live none is stopped but one in a hundred, and of those that are worse by `worse_by` none goes
out but one in twenty.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pipelines.checks.comparison import pairs_at_most, settings_of
from pipelines.checks.sequential import Comparison, Outcome
from pipelines.manifest.model import Watch

RATE = 10
"""Pairs in a second."""
STEPS = (10, 50, 100)
STEP_SECONDS = 30
LOOK = 5
"""Pairs between two looks of ours: half a second."""

Pairs = Iterator[tuple[Outcome, Outcome]]


@dataclass(frozen=True)
class Traffic:
    """What both sides do. Shares of requests; `good` says whether the release should go out."""

    name: str
    good: bool
    candidate: float = 0.0
    live: float = 0.0
    slow: float = 0.0
    """Share of the candidate's answers that take three seconds."""

    def pairs(self, seed: int) -> Pairs:
        """The pairs of one release, without end; the same for every rule."""
        chance = random.Random(f"{self.name} {seed}")  # noqa: S311 - made-up traffic, the same every time
        draw, tail = chance.random, chance.lognormvariate
        while True:
            late = draw() < self.slow
            yield (
                Outcome(draw() < self.candidate, 3000.0 if late else 40 * tail(0, 0.5)),
                Outcome(draw() < self.live, 40 * tail(0, 0.5)),
            )


TRAFFIC = (
    Traffic("healthy", True),
    Traffic("live fails 5 %, the candidate never", True, live=0.05),
    Traffic("live fails 20 %, the candidate never", True, live=0.2),
    Traffic("both fail 5 %", True, 0.05, 0.05),
    Traffic("both fail 20 %", True, 0.2, 0.2),
    Traffic("live is dead, the candidate fixes it", True, live=1.0),
    Traffic("the candidate fails 1 %", False, 0.01),
    Traffic("the candidate fails 2 %", False, 0.02),
    Traffic("the candidate fails 5 %", False, 0.05),
    Traffic("the candidate fails 20 %", False, 0.2),
    Traffic("the candidate always fails", False, 1.0),
    Traffic("live fails 5 %, the candidate 10 %", False, 0.1, 0.05),
    Traffic("live fails 20 %, the candidate 40 %", False, 0.4, 0.2),
    Traffic("live fails 20 %, the candidate always", False, 1.0, 0.2),
    Traffic("one answer in ten takes 3 s", False, slow=0.1),
    Traffic("all answers take 3 s", False, slow=1.0),
)


@dataclass(frozen=True)
class Ended:
    """How one release ended by one rule."""

    stopped: bool
    requests: int
    """Pairs, or requests of a rule that asks one side, until then."""
    undecided: bool = False
    """It was stopped because nothing was proved either way."""


def ours(pairs: Pairs, watch: Watch) -> Ended:
    asked = 0
    for _ in STEPS:
        comparison = Comparison(settings_of(watch, parts=len(STEPS)))
        least, most = STEP_SECONDS * RATE, pairs_at_most(watch, STEP_SECONDS)
        while True:
            for _ in range(LOOK):
                comparison.add(*next(pairs))
            decision = comparison.decision()
            if decision == "worse" or (comparison.pairs >= most and decision == "undecided"):
                return Ended(True, asked + comparison.pairs, undecided=decision == "undecided")
            if decision == "not worse" and comparison.pairs >= least:
                break
        asked += comparison.pairs
    return Ended(False, asked)


def flagger(pairs: Pairs) -> Ended:
    asked, passed, failed = 0, 0, 0
    while passed < 5 and failed < 5:
        minute = [next(pairs)[0] for _ in range(60 * RATE)]
        asked += len(minute)
        succeeded = sum(not answer.failed for answer in minute) / len(minute)
        p99 = sorted(answer.ms for answer in minute)[int(0.99 * len(minute))]
        if succeeded >= 0.99 and p99 <= 500:
            passed += 1
        else:
            failed += 1
    return Ended(failed == 5, asked)


def argo(pairs: Pairs) -> Ended:
    asked, failed = 0, 0
    for _ in range(10):
        minute = [next(pairs)[0] for _ in range(60 * RATE)]
        asked += len(minute)
        failed += sum(not answer.failed for answer in minute) / len(minute) < 0.95
        if failed > 3:
            return Ended(True, asked)
    return Ended(False, asked)


def two_errors(pairs: Pairs) -> Ended:
    asked, before = 0, 0
    chance = random.Random(1)  # noqa: S311 - who answers at one address
    for share in STEPS:
        was_failing = _at_one_address(next(pairs), before, chance).failed
        errors = 0
        for _ in range(STEP_SECONDS * RATE):
            asked += 1
            errors += _at_one_address(next(pairs), share, chance).failed
            if errors == 2 and not was_failing:
                return Ended(True, asked)
        before = share
    return Ended(False, asked)


def _at_one_address(pair: tuple[Outcome, Outcome], share: int, chance: random.Random) -> Outcome:
    return pair[0] if chance.random() * 100 < share else pair[1]


FALSE_ALARMS, MISSED = 0.01, 0.05
OURS = {"ours": 0.02, "ours, 1 %": 0.01}
"""Rule -> the smallest difference it is to find."""
RULES: dict[str, Callable[[Pairs], Ended]] = {
    "ours": partial(ours, watch=Watch()),
    "ours, 1 %": partial(ours, watch=Watch(worse_by=1)),
    "Flagger": flagger,
    "Argo Rollouts": argo,
    "two errors": two_errors,
}


@dataclass(frozen=True)
class Figures:
    """One rule on one kind of traffic."""

    wrong: float
    """Share of releases called worse though good, or promoted though bad."""
    undecided: float
    """Share of releases that stayed undecided, and were stopped."""
    requests: float | None
    """Median until the right end: promoted if good, stopped if bad; None where it never came to it."""

    @property
    def says(self) -> str:
        undecided = f" + {self.undecided * 100:.1f} % undecided" if self.undecided else ""
        return f"{self.wrong * 100:.1f} %{undecided}" + (f" ({self.requests:,.0f})" if self.requests else "")


def measure(traffic: Traffic, rule: Callable[[Pairs], Ended], releases: int) -> Figures:
    ended = [rule(traffic.pairs(seed)) for seed in range(releases)]
    right = [each.requests for each in ended if each.stopped != traffic.good]
    undecided = sum(each.undecided for each in ended) if traffic.good else 0
    return Figures(
        wrong=(releases - len(right) - undecided) / releases,
        undecided=undecided / releases,
        requests=statistics.median(right) if right else None,
    )


def missed_goals(rows: Sequence[tuple[Traffic, Sequence[Figures]]]) -> list[str]:
    """Where one of ours errs more often than it claims, in words."""
    missed = []
    for traffic, figures in rows:
        for rule, smallest in OURS.items():
            found = figures[list(RULES).index(rule)]
            declared = traffic.slow > 0 or traffic.candidate - traffic.live >= smallest
            if found.wrong > FALSE_ALARMS if traffic.good else declared and found.wrong > MISSED:
                missed.append(f"{rule}: {traffic.name}: {found.says}")
    return missed


def table(rows: Sequence[tuple[Traffic, Sequence[Figures]]]) -> str:
    """Markdown: false alarms of good releases, misses of bad ones, each with the median of requests until the right end."""
    lines = [f"| traffic | wrong is | {' | '.join(RULES)} |", f"|---|---|{'--:|' * len(RULES)}"]
    for traffic, figures in rows:
        wrong = "stopped" if traffic.good else "promoted"
        lines.append(f"| {traffic.name} | {wrong} | {' | '.join(each.says for each in figures)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table; exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=int, default=200)
    releases = parser.parse_args().releases
    rows = [(traffic, [measure(traffic, rule, releases) for rule in RULES.values()]) for traffic in TRAFFIC]
    print(table(rows))
    print(
        f"\nEach figure is of {releases} releases: wrong decisions, and in brackets the median of requests until the right one."
    )
    missed = missed_goals(rows)
    print("\n".join(f"missed: {each}" for each in missed) or "no goal was missed")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
