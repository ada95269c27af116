"""The watch while traffic moves: candidate and live are asked the same at the same time, and compared.

Each side is asked at an address of its own, so that every answer is known to be the candidate's or live's. A pair is one request to
each, in random order; what makes both slow or failing falls on both. What is proved by the pairs, sequential.py says; nothing
is judged by a single answer, by what was there before, or by a threshold that live itself may not meet.
"""

from __future__ import annotations

import math
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pipelines.checks import sequential
from pipelines.checks.sequential import Comparison, Outcome, Settings
from pipelines.checks.watched import Record
from pipelines.clock import Clock
from pipelines.errors import CheckFailed

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.manifest.model import Journey, Watch

Ask = Callable[[], Outcome | None]
"""One request and what came of it; None where a rate limit refused it (HTTP 429). It ends by itself: no answer in time is a failure."""

AT_ONCE = 16
"""Pairs on the way at the same time: with 10 pairs a second, answers may take a second and a half before the rate falls."""
MOST_A_SECOND = 100.0
"""Pairs in a second of real time, whatever the scale of the clock: a faster clock makes users wait less, not machines answer faster."""
WARM_UPS = 3
"""Requests of each journey to each side that are not counted: an instance that has just started is slow once."""
LOOK_SECONDS = 1.0
"""How often `between` is called, at most."""
_TICK = 0.25
_PROBLEMS = 8


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where one side is asked, and what every request carries (a protection bypass, the probe's identity)."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Paired:
    """What users do, once, of either side. `live` is None where nothing is live yet."""

    name: str
    candidate: Ask
    live: Ask | None


def paired(
    journeys: Mapping[str, Journey],
    http: Http,
    candidate: Address,
    live: Address | None,
) -> list[Paired]:
    """The journeys of one component, asked at its candidate's address and at live's (None: nothing is live yet)."""
    return [
        Paired(
            name=name,
            candidate=partial(_visited, journey, candidate, http),
            live=partial(_visited, journey, live, http) if live else None,
        )
        for name, journey in journeys.items()
    ]


def _visited(journey: Journey, address: Address, http: Http) -> Outcome | None:
    from pipelines.checks.journeys import visit

    made = visit(journey, address.url, http, headers=address.headers)
    if made.limited:
        return None
    return Outcome(made.failed, made.ms, made.reason, answered=any(asked.status is not None for asked in made.requests))


@dataclass(kw_only=True)
class _Pair:
    journey: str
    candidate: Outcome | None = None
    live: Outcome | None = None
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)


def _in_thread(work: Callable[[], None]) -> None:
    # A thread of its own, which a stop of the process does not wait for.
    threading.Thread(target=work, name="pair of requests", daemon=True).start()


class PairedWatch:
    """One watch of one component. Read `record` afterwards, whether `hold` returned or raised.

    `parts`: how many such watches the release goes through (steps of all components); they share one budget of false alarms.
    `start` runs a call in the background.
    """

    def __init__(
        self,
        *,
        title: str,
        journeys: Sequence[Paired],
        watch: Watch,
        parts: int,
        clock: Clock,
        chance: random.Random | None = None,
        start: Callable[[Callable[[], None]], None] = _in_thread,
    ) -> None:
        self.title, self.journeys, self.watch, self.clock = title, tuple(journeys), watch, clock
        self._chance = chance or random.Random()  # noqa: S311 - the order of two requests is no secret
        self._start = start
        settings = settings_of(watch, parts)
        alone = any(journey.live is None for journey in journeys)
        self.comparison = Comparison(settings, [journey.name for journey in journeys], alone=alone)
        self.record = Record(title=title, worse_by=settings.worse_by, alone=alone)
        self._warm = False

    def warm(self) -> None:
        """Ask each journey of each side a few times, uncounted. `hold` does it where it was not done before traffic moved."""
        self._warm = True
        waiting: deque[_Pair] = deque()
        for journey in self.journeys * WARM_UPS:
            self._settle(waiting, AT_ONCE - 1)
            waiting.append(self._ask(journey))
        self._settle(waiting, 0)

    def hold(self, seconds: float, between: Callable[[], None] = lambda: None) -> Record:
        """Watch for so many declared seconds at least, and until it is decided.

        `between` is called about once in a second; what it raises ends the watch. Raises CheckFailed as soon as the candidate is
        worse than live, and when the manifest's patience is over without a decision.
        """
        if not self._warm:
            self.warm()
        try:
            self._hold(seconds, between)
        finally:
            self.record.close(self.comparison)
        return self.record

    def _hold(self, seconds: float, between: Callable[[], None]) -> None:
        rate = rate_of(self.watch, self.clock.scale)
        most = pairs_at_most(self.watch, seconds)
        begun = self.clock.monotonic()
        over = begun + max(seconds, most / rate)
        waiting: deque[_Pair] = deque()
        asked, next_pair, next_call = 0, begun, begun
        while True:
            now = self.clock.monotonic()
            # What could not be asked while all places were taken is not made up for: a burst would measure itself.
            next_pair = max(next_pair, now - AT_ONCE / rate)
            while next_pair <= now and len(waiting) < AT_ONCE and asked < most and self.journeys:
                waiting.append(self._ask(self.journeys[asked % len(self.journeys)]))
                asked, next_pair = asked + 1, next_pair + 1 / rate
            self._count(waiting)
            if now >= next_call:
                between()
                next_call = self.clock.monotonic() + LOOK_SECONDS
            ended = now >= over or not self.journeys or (asked >= most and not waiting)
            if self._over(now - begun, seconds, ended=ended):
                return
            self.clock.sleep(min(1 / rate, _TICK))

    def _over(self, elapsed: float, seconds: float, *, ended: bool) -> bool:
        """Look. Raises CheckFailed."""
        found = self.record.look(self.comparison, elapsed)
        if found.decision == "worse":
            raise CheckFailed(
                f"{found.says}{self._problems()}",
                where=self.title,
                why="requests to the candidate and to live, asked in turn, prove that users are served worse by the candidate",
                next_step="read the candidate's logs from the time of the watch; the release is not to be given more traffic",
            )
        if found.decision == "not worse" and elapsed >= seconds:
            return True
        if not ended:
            return False
        if not found.pairs:
            raise CheckFailed(
                f"after {elapsed:.0f} s: {found.says}",
                where=self.title,
                why="no data is not success",
                next_step="look whether this machine reaches both addresses, and whether the manifest declares what to ask",
            )
        raise CheckFailed(
            f"after {elapsed:.0f} s and {found.pairs:,} pairs: {found.says}{self._problems()}",
            where=self.title,
            why=f"to exclude {self.watch.worse_by:g} % more failures than live takes more pairs than there were",
            next_step=(
                "read what fails on both sides and fix it first, or raise `patience_seconds` or `worse_by` (`watch` of the"
                " environment in shipmate.yml)"
            ),
        )

    def _ask(self, journey: Paired) -> _Pair:
        pair = _Pair(journey=journey.name)
        candidate_first = self._chance.random() < 0.5

        def ask() -> None:
            try:
                if candidate_first or journey.live is None:
                    pair.candidate = journey.candidate()
                if journey.live is not None:
                    pair.live = journey.live()
                elif pair.candidate is not None:
                    pair.live = Outcome(False, pair.candidate.ms)
                if not candidate_first and journey.live is not None:
                    pair.candidate = journey.candidate()
            except BaseException as error:  # raised again where the watch waits
                pair.error = error
            finally:
                pair.done.set()

        self._start(ask)
        return pair

    def _count(self, waiting: deque[_Pair]) -> None:
        """Count the pairs that are there, in the order they were asked: the slow ones must not come last."""
        while waiting and waiting[0].done.is_set():
            pair = waiting.popleft()
            if pair.error is not None:
                raise pair.error
            self.comparison.add(pair.candidate, pair.live, pair.journey)
            if pair.candidate is not None and pair.candidate.failed and pair.live is not None:
                self._note(f"{pair.journey}: {pair.candidate.problem or 'failed'}")

    def _settle(self, waiting: deque[_Pair], room: int) -> None:
        """Wait until no more than `room` of them are on the way, and forget the others."""
        while len(waiting) > room:
            pair = waiting.popleft()
            pair.done.wait()
            if pair.error is not None:
                raise pair.error

    def _note(self, problem: str) -> None:
        problems = self.record.problems
        if problem in problems or len(problems) < _PROBLEMS:
            problems[problem] = problems.get(problem, 0) + 1

    def _problems(self) -> str:
        if not self.record.problems:
            return ""
        problem, count = max(self.record.problems.items(), key=lambda item: item[1])
        return f"; most often: {problem} ({count:,} times)"


def settings_of(watch: Watch, parts: int) -> Settings:
    """What the manifest asks for, of one of so many watches of a release."""
    return Settings(
        worse_by=watch.worse_by / 100,
        slower_by_ms=watch.slower_by_ms,
        slower_by=watch.slower_by / 100,
        parts=parts,
    )


def rate_of(watch: Watch, scale: float = 1.0) -> float:
    """Pairs in a declared second."""
    return min(watch.pairs_per_second, MOST_A_SECOND * scale)


def pairs_at_most(watch: Watch, seconds: float) -> int:
    """Pairs of one step that is watched for `seconds` at least, when it stays undecided."""
    return math.ceil(watch.pairs_per_second * max(watch.patience_seconds, seconds))


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Visits to both sides and seconds that the watches of a component take, all steps together. A visit is all requests of a journey."""

    steps: int
    visits: int
    seconds: float
    most_visits: int
    most_seconds: float
    smallest: int
    """Pairs after which a candidate is found, as a rule, that fails by `worse_by` more than a live that never fails."""
    certain: int
    """Pairs after which a candidate is found that always fails."""
    worse_by: float

    @property
    def says(self) -> str:
        """For the plan."""
        watches = "1 step" if self.steps == 1 else f"{self.steps} steps"
        return (
            f"{self.visits:,} visits in {self.seconds:.0f} s for {watches} where nothing fails, at most {self.most_visits:,}"
            f" in {self.most_seconds:.0f} s until each is decided; finds a candidate that always fails after {self.certain:,}"
            f" pairs, one that fails {self.worse_by:g} % more than live after about {self.smallest:,}"
        )


def cost(watch: Watch, shift: Sequence[int], watch_seconds: float, parts: int) -> Cost:
    """What it takes to watch a component that goes through the steps of `shift`, each for `watch_seconds` at least."""
    settings, rate = settings_of(watch, parts), rate_of(watch)
    pairs = max(sequential.needed(settings), math.ceil(watch_seconds * rate))
    most = pairs_at_most(watch, watch_seconds)
    return Cost(
        steps=len(shift),
        visits=2 * pairs * len(shift),
        seconds=max(watch_seconds, pairs / rate) * len(shift),
        most_visits=2 * most * len(shift),
        most_seconds=max(watch_seconds, most / rate) * len(shift),
        smallest=sequential.found(settings, settings.worse_by),
        certain=sequential.found(settings, 1.0),
        worse_by=watch.worse_by,
    )
