"""Is the candidate worse than live? A test of pairs of answers that may be looked at after every pair without lying.

Each pair is one request to the candidate and one to live, made at about the same time. Of a pair only the difference counts:
1 where the candidate alone was bad, -1 where live alone was, 0 where both were alike. What makes both bad at once, however
often, cancels out. Whether the mean of such differences is above a value is tested by betting (I. Waudby-Smith, A. Ramdas:
Estimating means of bounded random variables by betting, JRSS B 86, 2024): a stake is multiplied by
`1 + bet * (difference - mean)` after each pair. While the hypothesis holds, the stake is not expected to grow, whatever happened
before, and reaches 1/alpha at any time with a probability of at most alpha (Ville's inequality). Stakes of several bets, metrics
and journeys are averaged, which keeps that bound, for any dependence between them.

Slowness is compared on the same pairs. The hypothesis is that no quantile of the candidate's times, an answer that failed
counted as one that never came, is above live's by more than the tolerance. The bounds of single quantiles are those of S. Howard,
A. Ramdas: Sequential estimation of quantiles (Bernoulli 28, 2022), with the same bets on the share of answers below the quantile.

Pure Python; a look takes some 50 microseconds, however many pairs there are.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Decision = Literal["worse", "not worse", "undecided"]

_Bets = tuple[tuple[float, float], ...]
"""(logarithm of the weight, bet as a share of the largest that is allowed)."""


def _bets(weights: Mapping[float, float]) -> _Bets:
    return tuple((math.log(weight), bet) for bet, weight in weights.items())


_FOR_HARM = _bets(
    {1.0: 0.35, 0.9: 0.1, 0.8: 0.1, 0.65: 0.1, 0.5: 0.09, 0.35: 0.08, 0.22: 0.07, 0.13: 0.05, 0.07: 0.03, 0.035: 0.03}
)
"""The largest finds what fails always with the fewest pairs; the small ones find a small difference among many failures of both."""
_FOR_HARMLESS = _bets({1.0: 0.3, 0.9: 0.08, 0.8: 0.1, 0.65: 0.1, 0.5: 0.1, 0.35: 0.1, 0.22: 0.12, 0.14: 0.1})
"""The largest passes what never fails; the best bet against a difference that is declared is never as small as those above."""
_NEVER = -math.inf


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer: was it wrong, and the milliseconds until it was there. None in place of it: it counts neither way (HTTP 429)."""

    failed: bool
    ms: float
    problem: str = ""
    """What was wrong, in words; nothing is decided by it."""
    answered: bool = True
    """False: not even an error came back, as when this machine has lost its network."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is to be found, and how often the test may err. Shares are between 0 and 1, times in milliseconds."""

    worse_by: float = 0.02
    """A candidate that fails by this share of requests more than live is found; one that is not worse by as much may pass."""
    relative: float = 0.4
    """... or by this share of live's own failures, if that is more: nobody can see two more in a hundred where forty fail."""
    slower_by_ms: float = 100.0
    slower_by: float = 0.25
    """An answer is slow that takes longer than live's by more than both: milliseconds, and a share of live's time."""
    false_alarms: float = 0.01
    """Of releases that are as good as live, at most this share is called worse: over all looks, metrics, journeys and `parts`."""
    missed: float = 0.05
    """Of candidates that are worse by `worse_by`, at most this share is called not worse."""
    parts: int = 1
    """Comparisons that one release goes through (steps of all components)."""

    @property
    def threshold(self) -> float:
        """Logarithm of the stake at which a candidate is called worse."""
        return math.log(self.parts / self.false_alarms)

    def tolerated(self, ms: float) -> float:
        """The candidate's time, less what is tolerated: compared with live's."""
        return min(ms - self.slower_by_ms, ms / (1 + self.slower_by))


@dataclass(frozen=True)
class _Slowness:
    """A way of being slow: a pair counts where one side took longer than the other by more than `apart` tolerances."""

    says: str
    weight: float
    apart: float
    share: float
    """How many more pairs than the opposite make it a finding; a candidate passes when it is below that."""


_ERRORS = 0.5
_OF_JOURNEYS = 0.3
"""Of the weight of errors, what is for single journeys, where there are several."""
_SLOWNESS = (
    _Slowness("is slower as a rule", 0.2, 0.0, 0.2),
    _Slowness("has some answers that are much slower", 0.15, 2.0, 0.05),
    _Slowness("has some answers that are very much slower", 0.15, 8.0, 0.05),
)


@dataclass(slots=True)
class Tally:
    """Pairs by who was bad in them."""

    candidate: int = 0
    live: int = 0
    both: int = 0
    neither: int = 0

    def add(self, candidate: bool, live: bool) -> None:
        if candidate:
            if live:
                self.both += 1
            else:
                self.candidate += 1
        elif live:
            self.live += 1
        else:
            self.neither += 1

    @property
    def pairs(self) -> int:
        return self.candidate + self.live + self.both + self.neither

    @property
    def alike(self) -> int:
        return self.both + self.neither


def _log_mean(logs: Sequence[float]) -> float:
    """Logarithm of a sum, given the logarithms of its parts (weights are in them)."""
    most = max(logs)
    return most if math.isinf(most) else most + math.log(sum(math.exp(each - most) for each in logs))


def log_stake(up: float, down: float, alike: float, mean: float = 0.0, *, bets: _Bets = _FOR_HARM) -> float:
    """Logarithm of the stake against "the mean of the differences is at most `mean`" (above -1, below 1).

    `up`, `down` and `alike` count the pairs with the difference 1, -1 and 0.
    """
    logs = []
    for weight, bet in bets:
        unit = bet / (1 + mean)
        gain = up * math.log1p(unit * (1 - mean))
        rest = alike * math.log1p(-unit * mean) if mean else 0.0
        loss = down * math.log1p(-bet) if bet < 1 else (_NEVER if down else 0.0)
        logs.append(weight + gain + rest + loss)
    return _log_mean(logs)


def lower_bound(up: float, down: float, alike: float, alpha: float) -> float:
    """What the mean of the differences is above, at every look, with a probability of at least 1 - alpha."""
    wanted, low, high = -math.log(alpha), -1.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        if log_stake(up, down, alike, middle) >= wanted:
            low = middle
        else:
            high = middle
    return low


def upper_bound(up: float, down: float, alike: float, alpha: float) -> float:
    """What the mean of the differences is below, likewise."""
    return -lower_bound(down, up, alike, alpha)


def quantile_bounds(values: Sequence[float], share: float, alpha: float) -> tuple[float, float]:
    """Bounds of the quantile of `share` that hold at every look with a probability of at least 1 - alpha. `values` are sorted."""
    count, wanted = len(values), -math.log(alpha / 2)
    low = bisect.bisect_left(range(count + 1), True, key=lambda k: _share_stake(count - k, k, share) < wanted)
    high = bisect.bisect_left(range(count + 1), True, key=lambda k: _share_stake(k, count - k, 1 - share) >= wanted)
    return (values[low - 1] if low else 0.0), (values[high - 1] if 0 < high <= count else math.inf)


def _share_stake(above: int, below: int, share: float) -> float:
    """Logarithm of the stake against "at least `share` of the values are below", of which `below` are, and `above` are not."""
    logs = []
    for weight, bet in _FOR_HARM:
        loss = below * math.log1p(-bet) if bet < 1 else (_NEVER if below else 0.0)
        logs.append(weight + above * math.log1p(bet * share / (1 - share)) + loss)
    return _log_mean(logs)


@dataclass(kw_only=True)
class Side:
    """The answers of one side."""

    failed: int = 0
    answered: list[float] = field(default_factory=list)
    """Milliseconds of those that did not fail, sorted."""

    def add(self, outcome: Outcome) -> None:
        if outcome.failed:
            self.failed += 1
        else:
            bisect.insort(self.answered, outcome.ms)

    @property
    def count(self) -> int:
        return self.failed + len(self.answered)

    def quantile(self, share: float) -> float | None:
        """Milliseconds; None where nothing was answered."""
        return self.answered[min(len(self.answered) - 1, int(share * len(self.answered)))] if self.answered else None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known after some pairs."""

    decision: Decision
    pairs: int
    skipped: int
    lower: float
    upper: float
    """Bounds of the candidate's share of failures less live's; each holds at every look, `lower` but for a share of
    `false_alarms / parts` of releases, `upper` but for one of `missed`."""
    says: str


class Comparison:
    """Counts pairs, and says what they prove. `alone`: nothing is live, and the other side of each pair is an answer without fault."""

    def __init__(self, settings: Settings, journeys: Sequence[str] = ("",), *, alone: bool = False) -> None:
        self.settings = settings
        self.alone = alone
        self.errors = Tally()
        self.journeys = {name: Tally() for name in journeys}
        self.slowness = tuple(Tally() for _ in _SLOWNESS)
        self.candidate, self.live = Side(), Side()
        self.skipped = 0

    @property
    def pairs(self) -> int:
        return self.errors.pairs

    def add(self, candidate: Outcome | None, live: Outcome | None, journey: str = "") -> None:
        """Count one pair. Pairs must come in the order in which they were asked, not the quick ones first.

        One in which a rate limit refused an answer, or neither side gave any, says nothing, and is counted as skipped.
        """
        if candidate is None or live is None or not (candidate.answered or live.answered):
            self.skipped += 1
            return
        self.errors.add(candidate.failed, live.failed)
        self.journeys[journey].add(candidate.failed, live.failed)
        self.candidate.add(candidate)
        self.live.add(live)
        ours = math.inf if candidate.failed else self.settings.tolerated(candidate.ms)
        theirs = math.inf if live.failed else live.ms
        for kind, tally in zip(_SLOWNESS, self.slowness, strict=True):
            apart = kind.apart * self.settings.slower_by_ms
            if ours == theirs:
                tally.add(False, False)
            else:
                tally.add(ours > theirs + apart, theirs > ours + apart)

    def decision(self) -> Decision:
        """What the pairs prove so far; cheap enough to be asked after every pair."""
        if self._harm() >= self.settings.threshold:
            return "worse"
        if self.skipped > self.pairs or not self._harmless():
            return "undecided"
        return "not worse"

    def verdict(self) -> Verdict:
        """The decision with its bounds and its reasons."""
        found, errors, settings = self.decision(), self.errors, self.settings
        counts = (errors.candidate, errors.live, errors.alike)
        lower = lower_bound(*counts, settings.false_alarms / settings.parts)
        upper = upper_bound(*counts, settings.missed)
        return Verdict(
            decision=found,
            pairs=self.pairs,
            skipped=self.skipped,
            lower=lower,
            upper=upper,
            says=self._words(found, lower, upper),
        )

    def _harm(self) -> float:
        """Logarithm of the stake against "the candidate is not worse", over all metrics."""
        return _log_mean([log for log, _ in self._evidence()])

    def _evidence(self) -> list[tuple[float, str]]:
        """(logarithm of the weighted stake, what it shows) of every metric."""
        single = [(name, tally) for name, tally in self.journeys.items() if len(self.journeys) > 1]
        pooled = _ERRORS * (1 - _OF_JOURNEYS) if single else _ERRORS
        found = [(_weighted(pooled, self.errors), "fails more often")]
        for name, tally in single:
            weight = _ERRORS * _OF_JOURNEYS / len(single)
            found.append((_weighted(weight, tally), f"fails more often in {name}"))
        for kind, tally in zip(_SLOWNESS, self.slowness, strict=True):
            found.append((_weighted(kind.weight, tally), kind.says))
        return found

    def _harmless(self) -> bool:
        """Each metric of its own excludes what is to be found."""
        wanted = -math.log(self.settings.missed)
        e = self.errors
        return _log_harmless(e.candidate, e.live, e.both, e.neither, self.settings) >= wanted and all(
            log_stake(tally.live, tally.candidate, tally.alike, -kind.share, bets=_FOR_HARMLESS) >= wanted
            for kind, tally in zip(_SLOWNESS, self.slowness, strict=True)
        )

    def _words(self, found: Decision, lower: float, upper: float) -> str:
        refused = (
            f"{self.skipped:,} pairs say nothing: refused by a rate limit, or no side answered" if self.skipped else ""
        )
        if not self.pairs:
            return f"nothing was measured; {refused}" if refused else "nothing was measured"
        between = f"its share of failures less live's is between {_points(lower)} and {_points(upper)}"
        if self.alone:
            between = f"it fails at most {upper * 100:.1f} % of visits"
        measured = [*self._measured(), between, refused]
        return f"{self._finding(found)}: {'; '.join(part for part in measured if part)}"

    def _finding(self, found: Decision) -> str:
        if self.alone:
            return {"worse": "the candidate fails", "not worse": "the candidate answers"}.get(found, "not decided yet")
        if found == "worse":
            return f"the candidate {max(self._evidence())[1]} than live"
        return "the candidate is not worse than live" if found == "not worse" else "not decided yet"

    def _measured(self) -> list[str]:
        candidate, live = self.candidate, self.live
        if self.alone:
            return [f"{candidate.failed:,} of {self.pairs:,} visits failed"]
        failed = f"the candidate failed {candidate.failed:,} and live {live.failed:,} of {self.pairs:,} visits each"
        if not candidate.answered or not live.answered:
            return [failed]
        half, most = (f"{_ms(candidate.quantile(q))} and {_ms(live.quantile(q))}" for q in (0.5, 0.9))
        return [failed, f"half were answered in {half}, nine in ten in {most}"]


def _weighted(weight: float, tally: Tally) -> float:
    return math.log(weight) + log_stake(tally.candidate, tally.live, tally.alike)


_RELATIVE = 0.2
"""Weight of the stake against "worse by a share of live's failures", beside the one against "worse by `worse_by`"."""


def _log_harmless(candidate: float, live: float, both: float, neither: float, settings: Settings) -> float:
    """Logarithm of the stake against "the candidate fails more than live, by both `worse_by` and `relative` of live's share".

    The counts are of the pairs in which the candidate alone failed, live alone, both and neither.
    """
    absolute = log_stake(live, candidate, both + neither, -settings.worse_by, bets=_FOR_HARMLESS)
    relative = []
    for weight, bet in _FOR_HARMLESS:
        loss = candidate * math.log1p(-bet) if bet < 1 else (_NEVER if candidate else 0.0)
        gain = live * math.log1p(bet * (1 + settings.relative)) + both * math.log1p(bet * settings.relative)
        relative.append(weight + gain + loss)
    return _log_mean([math.log(1 - _RELATIVE) + absolute, math.log(_RELATIVE) + _log_mean(relative)])


MOST = 10_000_000
"""Pairs beyond which nobody waits: `needed` and `found` go no further."""


def needed(settings: Settings, failing: float = 0.0) -> int:
    """Pairs after which a candidate as good as live is called not worse, where `failing` of the requests fail on both sides.

    Exact where none fail; else the pairs at which the expected counts suffice (about half of all candidates need fewer).
    """
    alone, both = failing * (1 - failing), failing * failing
    errors = _first(
        lambda n: (
            _log_harmless(n * alone, n * alone, n * both, n * (1 - 2 * alone - both), settings)
            >= -math.log(settings.missed)
        )
    )
    share = min(kind.share for kind in _SLOWNESS)
    slow = _first(
        lambda n: (
            log_stake(n * alone, n * alone, n * (1 - 2 * alone), -share, bets=_FOR_HARMLESS)
            >= -math.log(settings.missed)
        )
    )
    return max(errors, slow)


def found(settings: Settings, more: float, failing: float = 0.0) -> int:
    """Pairs after which a candidate is called worse that fails `failing + more` of its requests, where live fails `failing`.

    By expected counts of errors alone, as `needed`.
    """
    theirs = failing
    ours = min(1.0, failing + more)
    up, down = ours * (1 - theirs), theirs * (1 - ours)
    return _first(lambda n: math.log(_ERRORS) + log_stake(n * up, n * down, n * (1 - up - down)) >= settings.threshold)


def _first(enough: Callable[[int], bool]) -> int:
    """The smallest number that is enough."""
    high = 1
    while high < MOST and not enough(high):
        high *= 2
    return bisect.bisect_left(range(high), True, key=enough)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"


def _points(share: float) -> str:
    return f"{share * 100:+.1f} %"
